import { all, page, setLive } from './page.js';

const BACK_OFF_MAX = 12;

/**
 * Asks every few seconds whether the page has changed. An unchanged page costs a 304, a hidden tab asks nothing, and after an error the
 * pauses double. `dress` is called with each piece of the page that is new.
 */
export function watchForNews(dress: (root: ParentNode) => void): {
  togglePause(): void;
  isPaused(): boolean;
} {
  const everyMs = Number(document.body.dataset.refresh ?? 0) * 1000;
  let tag: string | null = null;
  let paused = false;
  let offered: Document | null = null;
  let backOff = 1;

  async function look(): Promise<void> {
    if (document.hidden || paused || offered) return;
    try {
      const answer = await fetch(location.href, {
        headers: tag === null ? {} : { 'If-None-Match': tag },
        credentials: 'same-origin',
      });
      backOff = 1;
      const text = await answer.text(); // read even when it is not needed: an unread body keeps its connection
      if (answer.status === 304 || !answer.ok) return;
      const before = tag;
      tag = answer.headers.get('ETag');
      if (before === null || before === tag) return;
      const next = new DOMParser().parseFromString(text, 'text/html');
      if (document.body.dataset.live && !isBusy()) show(next);
      else offer(next);
    } catch {
      backOff = Math.min(BACK_OFF_MAX, backOff * 2);
    }
  }

  /** The list does not move while people read or type: new rows are announced in a banner. */
  function offer(next: Document): void {
    offered = next;
    const known = rowsOf(document);
    const fresh = [...rowsOf(next)].filter((href) => !known.has(href)).length;
    const button = document.createElement('button');
    button.id = 'news';
    button.type = 'button';
    button.textContent = (fresh > 0 ? `${fresh} · ` : '') + page.words.news;
    button.addEventListener('click', () => show(next));
    setLive(button);
  }

  function show(next: Document): void {
    offered = null;
    replaceMain(next);
    setLive();
    dress(document.querySelector('main') as HTMLElement);
  }

  async function round(): Promise<void> {
    await look();
    setTimeout(round, everyMs * backOff);
  }

  if (everyMs > 0) {
    void round();
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void look();
    });
  }
  return {
    togglePause: () => {
      paused = !paused;
      setLive(paused ? page.words.paused : '');
    },
    isPaused: () => paused,
  };
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const fieldsOf = (root: ParentNode): Field[] =>
  all<Field>('input:not([type=hidden]), textarea, select', root);
const actionOf = (field: Field): string | null => field.form?.getAttribute('action') ?? null;
const wasTyped = (field: Field): boolean => 'defaultValue' in field && field.value !== field.defaultValue;

/** Whether new content would take away selected text, the focus of a field, or something half typed. */
function isBusy(): boolean {
  return (
    String(getSelection()) !== '' ||
    all<HTMLInputElement | HTMLTextAreaElement>('main input, main textarea').some(
      (field) => field === document.activeElement || (field.type !== 'hidden' && wasTyped(field)),
    )
  );
}

function rowsOf(root: ParentNode): Set<string | null> {
  return new Set(all('main tbody tr td:first-child a', root).map((link) => link.getAttribute('href')));
}

/** Shows the new content and keeps open sections, typed text, the focus and the place of scrolling. */
function replaceMain(next: Document): void {
  const main = document.querySelector('main');
  const fresh = next.querySelector('main');
  if (!main || !fresh) return;
  const open = new Set(
    all<HTMLDetailsElement>('details', main).flatMap((one, i) => (one.open ? [one.id || i] : [])),
  );
  const typed = fieldsOf(main);
  const focused = typed.indexOf(document.activeElement as Field);
  const { scrollX: x, scrollY: y } = window;
  main.innerHTML = fresh.innerHTML;
  all<HTMLDetailsElement>('details', main).forEach((one, i) => {
    if (open.has(one.id || i)) one.open = true;
  });
  typed.forEach((was, i) => {
    const same = fieldsOf(main).find((field) => field.name === was.name && actionOf(field) === actionOf(was));
    if (!same) return;
    if (wasTyped(was) && !(same instanceof HTMLSelectElement)) same.value = was.value;
    if (i === focused) same.focus();
  });
  scrollTo(x, y);
}
