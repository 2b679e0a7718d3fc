import type { Why } from './why.js';

/** Why an event is where it is, as a sentence in English. `at` writes an instant as its reader wants it. */
export function whySentence({ reason }: Why, at: (instant: Date | null) => string): string {
  switch (reason.code) {
    case 'handled':
      return `It was handled at ${at(reason.at)}. Nothing more will happen.`;
    case 'discarded':
      return `It was discarded by a person at ${at(reason.at)}. Nothing more will happen.`;
    case 'errored':
      return `${reason.unknown ? 'Nobody knows whether the vendor did it' : 'It was given up'} after ${reason.failures} failures at ${at(reason.at)}. It waits for a person: ${reason.unknown ? 'ask the vendor, then settle or requeue it' : 'requeue or discard it'}.`;
    case 'running':
      return `It is being carried out by ${reason.worker}, whose lease lasts until ${at(reason.leaseUntil)}.`;
    case 'lease-over':
      return `${reason.worker} held it until ${at(reason.leaseUntil)} and never said how it ended. The next sweep takes it over.`;
    case 'blocked':
      return `It waits behind event ${reason.byId} (${reason.byType}), which has the same key and was recorded first.`;
    case 'paused':
      return `${reason.name} was paused by ${reason.actor} until ${at(reason.until)}: ${reason.reason}. It goes on by itself then.`;
    case 'vendor-down':
      return `${reason.target} is down (it cannot be reached, or answers nothing)${reason.since ? ` since ${at(reason.since)}` : ''}. A canary is sent at least every minute; the others follow it.`;
    case 'no-handler':
      return `No process knows the type ${reason.type} with payload version ${reason.version}. It is left to a newer one.`;
    case 'not-due':
      return `It is not due until ${at(reason.until)} (${reason.after === 'failure' ? 'it failed before, and is repeated then' : reason.after === 'question' ? 'its last question got no usable answer; it asks again then, and counts no failure' : reason.after === 'snooze' ? 'it was put off, which counts no failure' : 'it was recorded for then'}).`;
    case 'no-scheduler':
      return `It has been due since ${at(reason.since)}, and no scheduler is running.`;
    case 'due':
      return `It has been due since ${at(reason.since)}. The next sweep takes it.`;
  }
}
