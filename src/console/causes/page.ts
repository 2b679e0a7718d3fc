import type { AlertGroup } from '../../alerts/group.js';
import { version } from '../../base/version.js';
import { type Html, html } from '../html.js';
import { groupMark, groupName } from '../parts/group.js';
import { time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export function causesPage(visitor: Visitor, groups: readonly AlertGroup[], now: Date): Html {
  const { words: w, language } = visitor;
  if (groups.length === 0) return html`<p>${w.nothingFound}</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.causes}"><table><thead><tr><th scope="col">${w.cause}</th><th scope="col">${w.state}</th><th scope="col">${w.count}</th><th scope="col">${w.firstSeen}</th><th scope="col">${w.lastSeenAt}</th></tr></thead><tbody>
${groups.map(
  (group) =>
    html`<tr><th scope="row">${groupName(visitor, group)}<br><a href="/console/causes/${group.id}">${group.cause}</a>${group.build === version && html` <small>${w.sinceDeploy}</small>`}</th><td>${groupMark(visitor, group)} ${group.kind}${group.known && html`<br><small>${w.knownBy} ${group.known.by}: ${group.known.reason}</small>`}</td><td>${group.occurrences}</td><td>${time(group.firstAt, now, language)}</td><td>${time(group.lastAt, now, language)}</td></tr>`,
)}</tbody></table></div>`;
}
