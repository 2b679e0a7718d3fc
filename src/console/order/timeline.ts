import type { readTimeline } from '../../orders/timeline.js';
import { type Html, html } from '../html.js';
import { nameOf } from '../locales/codes.js';
import { typeWordsOf } from '../locales/event-types.js';
import { points, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

type Entry = Awaited<ReturnType<typeof readTimeline>>['timeline'][number];

interface Move {
  readonly before: number;
  readonly after: number;
}

/**
 * One entry of an order's story: when, what, the gist in a line, and all of it folded. `i` names it in the
 * page.
 */
export function timelineItem(visitor: Visitor, entry: Entry, i: number, now: Date): Html {
  const { words: w, language } = visitor;
  const { at, kind, what, detail } = entry;
  const isOfEvent = kind === 'attempt' || kind.startsWith('event');
  const name = isOfEvent ? typeWordsOf(language, what).name : nameOf(language, what);
  const { exchanges, ...rest } = detail as Record<string, unknown> & { exchanges?: unknown[] };
  return html`<li>${time(new Date(at), now, language)} <small>${nameOf(language, kind)}</small> <strong>${name}</strong>${eventLink(entry)} ${gist(visitor, entry)}
<details class="plain" id="entry-${i}"><summary>${w.evidence}</summary><pre tabindex="0">${JSON.stringify(rest, null, 2)}</pre>${exchanges && exchanges.length > 0 && html`<pre tabindex="0">${JSON.stringify(exchanges, null, 2)}</pre>`}</details></li>`;
}

function eventLink({ detail: { eventId, number } }: Entry): Html | null {
  if (typeof eventId !== 'string') return null;
  return html` <a href="/console/events/${eventId}${typeof number === 'number' ? `#attempt-${number}` : ''}">#${eventId}</a>`;
}

/** The one line that tells why this entry matters. */
function gist({ language, words: w }: Visitor, { kind, detail }: Entry): string {
  const outcome = nameOf(language, String(detail.outcome ?? '…'));
  const parts = [
    detail.caller,
    lockText(w, detail),
    stockText(w, detail),
    typeof detail.amountInCent === 'number' && points(detail.amountInCent),
    kind === 'attempt' && `${outcome}: ${String(detail.decision ?? '…')}`,
    kind === 'event-settled' && detail.status,
    typeof detail.state === 'string' && nameOf(language, detail.state),
    detail.actor ?? detail.operator,
    kind === 'alert' && detail.cause,
    detail.finding,
    detail.reason,
    detail.code,
  ];
  return parts
    .filter((part) => part !== undefined && part !== null && part !== false && part !== '')
    .map(String)
    .join(' · ');
}

function lockText(w: Visitor['words'], detail: Entry['detail']): string | null {
  const lock = detail.lock as { held: boolean; waitedMs: number } | undefined;
  return lock ? `${w.lockWaited} ${lock.held ? `${lock.waitedMs} ms` : '—'}` : null;
}

/** Taken or given back: what the stock of the dish and of the cabinet was before, and is after. */
function stockText(w: Visitor['words'], detail: Entry['detail']): string | null {
  const stock = (detail.stock ?? (detail.dish ? detail : null)) as { dish: Move; sideboard: Move } | null;
  if (!stock) return null;
  const { dish, sideboard } = stock;
  return `${w.stockMoved} ${dish.before} → ${dish.after}; ${w.cabinet} ${sideboard.before} → ${sideboard.after}`;
}
