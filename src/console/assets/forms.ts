import { all } from './page.js';

/**
 * A form is sent once, however often its button is clicked; an export may be repeated, since it leaves the
 * page where it is.
 */
export function sendFormsOnce(): void {
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    if (form.dataset.sent && form.method === 'post' && !/export$/.test(form.action)) event.preventDefault();
    form.dataset.sent = '1';
  });
  addEventListener('pageshow', () => {
    for (const form of all<HTMLFormElement>('form')) delete form.dataset.sent;
  });
}
