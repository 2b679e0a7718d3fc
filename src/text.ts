/** At most so many characters, cut on a code point: half a character is nobody's message. */
export function cutCharacters(text: string, characters: number): string {
  return Array.from(text).slice(0, characters).join('');
}
