import type { AlertGroup } from '../../alerts/group.js';
import { version } from '../../base/version.js';
import { type Html, html } from '../html.js';
import { groupMark, groupName } from '../parts/group.js';
import { table } from '../parts/table.js';
import { time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export function causesPage(visitor: Visitor, groups: readonly AlertGroup[], now: Date): Html {
  const { words: w } = visitor;
  if (groups.length === 0) return html`<p>${w.nothingFound}</p>`;
  return table(
    w.causes,
    [w.cause, w.state, w.count, w.firstSeen, w.lastSeenAt],
    groups.map((group) => row(visitor, group, now)),
  );
}

function row(visitor: Visitor, group: AlertGroup, now: Date): Html {
  const { words: w, language } = visitor;
  const { known } = group;
  return html`<tr><th scope="row">${groupName(visitor, group)}<br><a href="/console/causes/${group.id}">${group.cause}</a>${group.build === version && html` <small>${w.sinceDeploy}</small>`}</th><td>${groupMark(visitor, group)} ${group.kind}${known && html`<br><small>${w.knownBy} ${known.by}: ${known.reason}</small>`}</td><td>${group.occurrences}</td><td>${time(group.firstAt, now, language)}</td><td>${time(group.lastAt, now, language)}</td></tr>`;
}
