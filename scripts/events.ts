// Writes docs/events.md from the event types in src/handlers/.
import { writeFileSync } from 'node:fs';
import { eventsPage } from '../src/dev/events-page.js';
import { eventTypes } from '../src/handlers/index.js';

writeFileSync(new URL('../docs/events.md', import.meta.url), eventsPage(eventTypes));
