// A program: what the parts of lunchbox say of the made-up event type, as JSON. Its list of types is the one that the bundle was made with.
import { wordAlert } from '../../src/alerts/word.js';
import { typeWordsOf } from '../../src/console/locales/event-types.js';
import { eventsPage } from '../../src/dev/events-page.js';
import type { ProcessDependencies } from '../../src/handlers/dependencies.js';
import { alertRulesOf, createHandlers, eventTypeOf, eventTypes } from '../../src/handlers/index.js';
import { Registry } from '../../src/outbox/registry.js';
import { alertGroup } from './alert-group.js';

const type = process.argv[2] ?? '';
const nothing = {
  meican: {},
  energy: {},
  wecom: {},
  fulfilment: { windows: {} },
  complaints: {},
  housekeeping: {},
} as ProcessDependencies; // nothing is carried out here
const group = alertGroup({ title: type, eventType: type, cause: 'BOX_JAMMED', occurrences: 1 });
process.stdout.write(
  JSON.stringify({
    registry: new Registry(createHandlers(nothing)).knows(type, 1),
    console: { zh: typeWordsOf('zh', type), en: typeWordsOf('en', type) },
    alert: wordAlert(group, [], 'http://x', (name) => eventTypeOf(name)?.words.zh.name),
    rules: alertRulesOf(type),
    docs: eventsPage(eventTypes),
  }),
);
