// Medians, quantiles, the price of a flush, CPU of a process, and a table for people.
import { closeSync, fdatasyncSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';

export function quantile(numbers, q) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export const median = (numbers) => quantile(numbers, 0.5);

export const range = (numbers) => `${Math.min(...numbers)}–${Math.max(...numbers)}`;

/** Median, range, and the median of the ratios to the runs of the same rounds that are the base. */
export const against = (rates, base) => [
  median(rates),
  range(rates),
  base ? median(rates.map((rate, i) => rate / base[i % base.length])).toFixed(2) : '',
];

/** The price of a flush in these rounds, for a person. */
export const flushes = (us) => `fdatasync ${median(us)} µs (${range(us)})`;

export const round = (number, digits = 2) => Number(number.toFixed(digits));

/** What one flush costs here, now: the median of fifty. Microseconds. */
export function fsyncUs(directory) {
  const name = path.join(directory, 'probe');
  const file = openSync(name, 'w');
  const times = Array.from({ length: 50 }, () => {
    writeSync(file, 'x');
    const startedMs = performance.now();
    fdatasyncSync(file);
    return (performance.now() - startedMs) * 1000;
  });
  closeSync(file);
  unlinkSync(name);
  return Math.round(median(times));
}

/** CPU seconds that a process has used, and its resident memory in MiB (Linux). */
export function usageOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    cpuS: (Number(fields[11]) + Number(fields[12])) / 100,
    rssMib: (Number(fields[21]) * 4096) / 2 ** 20,
  };
}

/** Monotonic milliseconds, the same clock in all processes of this machine. */
export const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function table(columns, rows) {
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...rows.map((row) => String(row[i]).length)),
  );
  const line = (cells) => `| ${cells.map((cell, i) => String(cell).padEnd(widths[i])).join(' | ')} |`;
  return [
    line(columns),
    `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...rows.map(line),
  ].join('\n');
}
