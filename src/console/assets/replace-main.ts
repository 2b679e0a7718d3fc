import { all } from './page.js';

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** Whether new content would take away selected text, the focus of a field, or something half typed. */
export function isBusy(): boolean {
  return (
    String(getSelection()) !== '' ||
    all<HTMLInputElement | HTMLTextAreaElement>('main input, main textarea').some(
      (field) => field === document.activeElement || (field.type !== 'hidden' && wasTyped(field)),
    )
  );
}

/** Shows the content of `next`, and keeps open sections, typed text, the focus and the place of scrolling. */
export function replaceMain(next: Document): void {
  const main = document.querySelector('main');
  const fresh = next.querySelector('main');
  if (!main || !fresh) return;
  const open = new Set(sectionsOf(main).flatMap((section, i) => (section.open ? [section.id || i] : [])));
  const fields = fieldsOf(main);
  const focused = fields.indexOf(document.activeElement as Field);
  const { scrollX: x, scrollY: y } = window;
  main.innerHTML = fresh.innerHTML;
  sectionsOf(main).forEach((section, i) => {
    if (open.has(section.id || i)) section.open = true;
  });
  fields.forEach((field, i) => {
    restore(main, field, i === focused);
  });
  scrollTo(x, y);
}

/** `was`: a field of the old content, which still knows its form. */
function restore(main: ParentNode, was: Field, hadFocus: boolean): void {
  const same = fieldsOf(main).find((field) => field.name === was.name && actionOf(field) === actionOf(was));
  if (!same) return;
  if (wasTyped(was) && !(same instanceof HTMLSelectElement)) same.value = was.value;
  if (hadFocus) same.focus();
}

function sectionsOf(root: ParentNode): HTMLDetailsElement[] {
  return all<HTMLDetailsElement>('details', root);
}

function fieldsOf(root: ParentNode): Field[] {
  return all<Field>('input:not([type=hidden]), textarea, select', root);
}

function actionOf(field: Field): string | null {
  return field.form?.getAttribute('action') ?? null;
}

function wasTyped(field: Field): boolean {
  return 'defaultValue' in field && field.value !== field.defaultValue;
}
