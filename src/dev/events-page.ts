import type { EventType } from '../handlers/event-type.js';

/** docs/events.md: what each event type's own file says of it. */
export function eventsPage(types: readonly EventType[]): string {
  return [
    '# Event types',
    '',
    'Written by `npm run events` from `src/handlers/`: change the type’s file, not this page. `node dist/cli.js event-types` prints the same list.',
    '',
    '## What each type does',
    '',
    table(
      [
        'type',
        'name',
        'target',
        'what it does',
        'if it never succeeds',
        'who is affected',
        'requeue without asking first',
      ],
      types.map(({ type, target, words: { en }, repeatable }) => [
        `\`${type}\``,
        en.name,
        target,
        en.does,
        en.ifNever,
        en.affects,
        repeatable ? 'yes' : 'no: look first',
      ]),
    ),
    '',
    '## What a discard means',
    '',
    'A discard compensates in its own transaction, or it is refused. See [operations.md](operations.md#what-a-discard-does).',
    '',
    table(
      ['type', 'the order, or row', 'pending', 'errored'],
      types.flatMap(({ type, discard }) =>
        discard.map(({ of, pending, errored }) => [`\`${type}\``, of, pending, errored]),
      ),
    ),
    '',
    '## A payload of each type',
    '',
    table(
      ['type', 'version', 'example'],
      types.map(({ type, version, example }) => [
        `\`${type}\``,
        String(version),
        `\`${JSON.stringify(example)}\``,
      ]),
    ),
    '',
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
