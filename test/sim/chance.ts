/** A small generator of numbers in [0, 1), the same for the same seed on every machine. */
export function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Chance of its own for each name, so that leaving one thing out does not change everybody else's. */
export function chanceOf(seed: number, name: string): () => number {
  let hash = seed ^ 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return mulberry32(hash);
}

/** As many choices as one step needs, from its `r`. */
export const diceOf = (r: number): (() => number) => mulberry32(Math.floor(r * 4_294_967_296));

export function pick<T>(items: readonly T[], r: number): T | undefined {
  return items[Math.floor(r * items.length)];
}

/** One of the names, as often as its weight says. */
export function weighted<K extends string>(weights: Readonly<Record<K, number>>, r: number): K {
  const entries = Object.entries(weights) as [K, number][];
  let left = r * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of entries) {
    left -= weight;
    if (left < 0) return name;
  }
  return (entries.at(-1) as [K, number])[0];
}
