import { z } from 'zod';
import { redact } from './redact.js';

const ID_MAX = '9223372036854775807'; // 2^63 - 1: what the column holds

export const id = z
  .string()
  .max(19, { abort: true })
  .regex(/^\d{1,19}$/, 'an id: 1 to 19 digits')
  .refine((value) => value.length < ID_MAX.length || value <= ID_MAX, 'an id: at most 2^63 - 1');

/** The length is checked first and ends the check, so that no pattern sees a long text. */
export const shortText = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max, { abort: true })
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'no control characters, no halves of characters');

export const day = z
  .string()
  .refine(
    (value) =>
      /^\d{4}-\d\d-\d\d$/.test(value) &&
      !Number.isNaN(Date.parse(value)) &&
      new Date(value).toISOString().startsWith(value),
    'a day: yyyy-MM-dd',
  );

/** Free text that people will read. Whatever looks like a person's address or number is taken out before it is kept. */
export const reason = shortText(500).overwrite((text) => redact(text));
