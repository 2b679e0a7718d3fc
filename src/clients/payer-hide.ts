import { type Hide, hider } from '../base/hide.js';
import { hideOf } from './screen.js';
import type { CallContext, Request } from './transport.js';

/** Who paid, and what proved a message: never kept. */
const NAMES =
  'openid|sub_openid|buyer_id|buyer_user_id|buyer_open_id|buyer_logon_id|buyer_user_name|sign|signature|ciphertext';
// Each pattern is linear in the length of its text: no two neighbouring parts of it match the same character.
const JSON_FIELD = new RegExp(
  `(\\\\{0,3}"(?:${NAMES})\\\\{0,3}"[\\t ]{0,9}:[\\t ]{0,9}\\\\{0,3})(?:"(?:[^"\\\\]|\\\\[^])*|[\\d.]+)`,
  'gi',
);
const FORM_FIELD = new RegExp(`((?:^|[?&])(?:${NAMES})=)[^&\\s"]*`, 'gi');

/** Hides the fields of those names, in JSON and in a form. */
export function hidePayerFields(text: string): string {
  return text.replace(JSON_FIELD, '$1"***').replace(FORM_FIELD, '$1***');
}

/** What a call to a payer must not tell, besides what no call to a vendor must tell. */
export function hideOfPayer(secrets: Hide, request: Request, context: CallContext, signature: string): Hide {
  const usual = hideOf(secrets, request, context);
  const proof = hider([signature]);
  return (text) => hidePayerFields(proof(usual(text)));
}
