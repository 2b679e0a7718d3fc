import { all, page } from './page.js';

const pages: Readonly<Record<string, string>> = {
  o: '/console/',
  e: '/console/events',
  c: '/console/causes',
  s: '/console/schedules',
};

/**
 * The keyboard: search, rows, pages, pausing the refresh, and the list of all keys. Off while a field has the
 * focus.
 */
export function listenForKeys(togglePause: () => void): void {
  const help = addHelp();
  // A proxy may serve the console below a path.
  const prefix = location.pathname.slice(0, Math.max(0, location.pathname.indexOf('/console')));
  let row = -1;
  let afterG = false;
  document.addEventListener('keydown', (event) => {
    const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test((event.target as Element).tagName);
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (afterG && pages[key]) location.href = prefix + pages[key];
    afterG = key === 'g';
    if (key === '/') focusSearch(event);
    if (key === '?') help.showModal();
    if (key === 'r') togglePause();
    if (key === 'j' || key === 'k') row = focusRow(row + (key === 'j' ? 1 : -1));
  });
}

function focusSearch(event: KeyboardEvent): void {
  const box = document.getElementById('q');
  if (!box) return;
  event.preventDefault();
  box.focus();
}

function focusRow(wanted: number): number {
  const links = all('main tbody tr').flatMap((row) => row.querySelector('a') ?? []);
  const row = Math.max(0, Math.min(links.length - 1, wanted));
  links[row]?.focus();
  return row;
}

/** The list of keys has a button, too: not everybody knows `?`. */
function addHelp(): HTMLDialogElement {
  const help = document.createElement('dialog');
  help.setAttribute('aria-label', page.words.help);
  const keys = document.createElement('p');
  keys.textContent = page.words.keys;
  const close = document.createElement('button');
  close.textContent = 'OK';
  close.addEventListener('click', () => help.close());
  help.append(keys, close);
  document.body.append(help);
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = `${page.words.help} ?`;
  button.addEventListener('click', () => help.showModal());
  document.querySelector('footer')?.append(button);
  return help;
}
