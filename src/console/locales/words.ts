import { en } from './en.js';
import type { Language } from './languages.js';
import { type Words, zh } from './zh.js';

export const words: Record<Language, Words> = { zh, en };
