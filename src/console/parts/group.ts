import { type AlertGroup, type GroupState, stateOf } from '../../alerts/group.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import type { Visitor } from '../session.js';

const marks: Record<GroupState, string> = {
  open: 'errored',
  regressed: 'unknown',
  known: 'retrying',
  recovered: 'handled',
};

export function groupMark({ words: w }: Visitor, group: AlertGroup): Html {
  const state = stateOf(group);
  return html`<span class="state ${marks[state]}">${w[state]}</span>`;
}

/** What a group of alerts is about: its event type, or its own title. */
export function groupName({ language }: Visitor, group: AlertGroup): string {
  return group.eventType ? typeWordsOf(language, group.eventType).name : `${group.kind}: ${group.title}`;
}
