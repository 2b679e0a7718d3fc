/**
 * At most `characters` characters, cut between code points, so that no half character is left. Costs no more for a
 * long text than for a short one.
 */
export function cutCharacters(text: string, characters: number): string {
  if (text.length <= characters) return text;
  return Array.from(text.slice(0, 2 * characters))
    .slice(0, characters)
    .join('');
}

/**
 * Text as HTML shows it, between tags and in quoted attributes. NUL, which HTML forbids, becomes the
 * replacement character.
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`\0]/g, (sign) => `&#${sign === '\0' ? 0xfffd : sign.charCodeAt(0)};`);
}
