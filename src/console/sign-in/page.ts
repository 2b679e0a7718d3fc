import { type Html, html } from '../html.js';
import type { Words } from '../locales/zh.js';

/** `to`: the page that the sign-in leads to. */
export function signInForm(w: Words, to: string, hasFailed = false): Html {
  return html`${hasFailed && html`<p class="note bad" role="alert">${w.signInFailed}</p>`}<form method="post" action="/console/sign-in"><p>${w.signInHelp}</p>
<input type="hidden" name="to" value="${to}"><p><label>${w.token}<br><input name="token" type="password" autocomplete="off" required size="40"></label></p><button class="first">${w.signIn}</button></form>`;
}
