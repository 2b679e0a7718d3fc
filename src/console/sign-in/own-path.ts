/** What may stand in a Location header: ASCII as a URL has it, no backslash. */
const OWN_PATH = /^\/console\/[!-[\]-~]{0,1024}$/;

/** Only a page of the console, never another site. `prefix`: the path below which a proxy serves it. */
export function ownPath(to: unknown, prefix: string): string {
  if (typeof to !== 'string') return '/console/';
  const path = prefix !== '' && to.startsWith(`${prefix}/`) ? to.slice(prefix.length) : to;
  return OWN_PATH.test(path) && !path.includes('..') ? path : '/console/';
}

/** Where the request came from, by its Referer, if that is a page of the console. */
export function ownReferer(referer: string | undefined, prefix: string): string {
  const from = URL.canParse(referer ?? '') ? new URL(referer ?? '') : null;
  return ownPath(from ? `${from.pathname}${from.search}` : undefined, prefix);
}
