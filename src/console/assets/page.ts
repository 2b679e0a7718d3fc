/** What the page says to its script: the language, and the words that the script shows (`data-words`). */
export const page = {
  isChinese: document.documentElement.lang !== 'en',
  words: JSON.parse(document.body.dataset.words ?? '{}') as Record<
    'news' | 'paused' | 'copy' | 'copied' | 'help' | 'keys',
    string
  >,
};

export function all<E extends Element = HTMLElement>(query: string, root: ParentNode = document): E[] {
  return [...root.querySelectorAll<E>(query)];
}

/** The polite live region above the content. */
export function setLive(...content: (string | Node)[]): void {
  document.getElementById('live')?.replaceChildren(...content);
}
