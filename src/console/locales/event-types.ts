import type { TypeWords } from '../../handlers/event-type.js';
import { eventTypeOf } from '../../handlers/index.js';
import type { Language } from './languages.js';

/** The words of an event type stand in its own file in `handlers/`. A type that only a newer process knows goes by its name. */
export function typeWordsOf(language: Language, type: string): TypeWords & { readonly repeatable: boolean } {
  const eventType = eventTypeOf(type);
  return eventType
    ? { ...eventType.words[language], repeatable: eventType.repeatable }
    : { name: type, does: '—', ifNever: '—', affects: '—', repeatable: false };
}
