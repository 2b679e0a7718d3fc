import type { Command } from 'commander';
import { toRfc3339 } from '../base/clock.js';
import type { Database } from '../database/database.js';
import { complaintView } from '../orders/complaint-view.js';
import { complaintStates, listComplaints, readComplaint, reviewsOf } from '../orders/read-complaints.js';
import { out, row } from './print.js';
import { exit, idOf, oneOf, Stop, whole, withDatabase } from './shared.js';

interface ListOptions {
  readonly state?: (typeof complaintStates)[number];
  readonly before?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** Looking at complaints. Deciding needs two persons who sign in: the console or the API. */
export function addComplaints(program: Command): void {
  const complaints = program.command('complaints').description('complaints of diners');
  complaints
    .command('list')
    .description('complaints, newest first')
    .option('--state <state>', complaintStates.join(', '), oneOf(complaintStates))
    .option('--before <id>', 'older than this one')
    .option('--limit <n>', 'at most so many', whole, 20)
    .option('--json')
    .action((options: ListOptions) => withDatabase((database) => list(database, options)));

  complaints
    .command('show <complaint>')
    .description('one complaint, with what managers decided')
    .option('--json')
    .action((wanted: string, options: { json?: boolean }) =>
      withDatabase((database) => show(database, idOf('complaint', wanted), options.json)),
    );
}

async function list(database: Database, { state, before, limit, json }: ListOptions): Promise<void> {
  const beforeId = before === undefined ? undefined : idOf('complaint', before);
  const found = await listComplaints(database, { state, beforeId, limit });
  if (json) {
    const reviews = await reviewsOf(database, found);
    return out(found.map((one) => complaintView(one, reviews.get(one.id) ?? [])));
  }
  for (const { id, state: at, stateAt, orderNo, kind, wantedInCent, grantedInCent } of found)
    row(
      id,
      at,
      `since ${toRfc3339(stateAt)}`,
      orderNo,
      kind,
      `wanted ${wantedInCent}`,
      `granted ${grantedInCent ?? '-'}`,
    );
}

async function show(database: Database, id: string, json = false): Promise<void> {
  const found = await readComplaint(database, id);
  if (!found) throw new Stop(exit.notFound, `there is no complaint ${id}`);
  const { view, complaint } = found;
  if (json) return out(view);
  row(view.id, view.state, `since ${toRfc3339(complaint.stateAt)}`, view.orderNo, view.kind);
  row(`wanted ${view.wantedInCent}`, `granted ${view.grantedInCent ?? '-'}`, view.text);
  for (const { at, by, verdict, note } of view.reviews) row(at, verdict, by, note ?? '');
}
