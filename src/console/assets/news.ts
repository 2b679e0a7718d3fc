import { all, page, setLive } from './page.js';
import { isBusy, replaceMain } from './replace-main.js';

const BACK_OFF_MAX = 12;

/**
 * Asks every few seconds whether the page has changed. An unchanged page costs a 304, a hidden tab asks
 * nothing, and after an error the pauses double.
 */
export class News {
  readonly #everyMs = Number(document.body.dataset.refresh ?? 0) * 1000;
  readonly #dress: (root: ParentNode) => void;
  #tag: string | null = null;
  #isPaused = false;
  #isOffered = false;
  #backOff = 1;

  /** `dress` completes content that has just come from the server. */
  constructor(dress: (root: ParentNode) => void) {
    this.#dress = dress;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  start(): void {
    if (this.#everyMs === 0) return;
    void this.#round();
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.#look();
    });
  }

  togglePause(): void {
    this.#isPaused = !this.#isPaused;
    setLive(this.#isPaused ? page.words.paused : '');
  }

  async #round(): Promise<void> {
    await this.#look();
    setTimeout(() => void this.#round(), this.#everyMs * this.#backOff);
  }

  async #look(): Promise<void> {
    if (document.hidden || this.#isPaused || this.#isOffered) return;
    try {
      const next = await this.#fetchChange();
      if (next && document.body.dataset.live && !isBusy()) this.#show(next);
      else if (next) this.#offer(next);
    } catch {
      this.#backOff = Math.min(BACK_OFF_MAX, this.#backOff * 2);
    }
  }

  /** The page as it is now, or null when it has not changed since the last look. */
  async #fetchChange(): Promise<Document | null> {
    const headers: Record<string, string> = this.#tag === null ? {} : { 'If-None-Match': this.#tag };
    const answer = await fetch(location.href, { headers, credentials: 'same-origin' });
    this.#backOff = 1;
    const text = await answer.text(); // read even when it is not needed: an unread body keeps its connection
    if (answer.status === 304 || !answer.ok) return null;
    const before = this.#tag;
    this.#tag = answer.headers.get('ETag');
    if (before === null || before === this.#tag) return null;
    return new DOMParser().parseFromString(text, 'text/html');
  }

  /** New rows are announced in a banner; the list does not move while you read. */
  #offer(next: Document): void {
    this.#isOffered = true;
    const known = rowsOf(document);
    const fresh = [...rowsOf(next)].filter((href) => !known.has(href)).length;
    const button = document.createElement('button');
    button.id = 'news';
    button.type = 'button';
    button.textContent = (fresh > 0 ? `${fresh} · ` : '') + page.words.news;
    button.addEventListener('click', () => this.#show(next));
    setLive(button);
  }

  #show(next: Document): void {
    this.#isOffered = false;
    replaceMain(next);
    setLive();
    this.#dress(document.querySelector('main') as HTMLElement);
  }
}

function rowsOf(root: ParentNode): Set<string | null> {
  return new Set(all('main tbody tr td:first-child a', root).map((link) => link.getAttribute('href')));
}
