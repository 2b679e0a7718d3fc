import { all, page, setLive } from './page.js';

/** A button above each block of evidence that copies it. */
export function addCopyButtons(root: ParentNode): void {
  for (const block of all('pre', root)) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = page.words.copy;
    const text = block.textContent ?? '';
    button.addEventListener('click', () => void copy(text));
    block.before(button);
  }
}

/** `navigator.clipboard` is missing over plain HTTP; then a selected text area is copied. */
async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.setAttribute('aria-label', page.words.copy);
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  setLive(page.words.copied);
}
