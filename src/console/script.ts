import { createHash } from 'node:crypto';

/**
 * All that the pages do with a script; everything works without it. Relative times tick; a page that may change asks every few seconds
 * whether it has (ETag, nothing while hidden), and offers what is new rather than moving what is being read; `/` goes to the search.
 */
export const script = `'use strict';
(() => {
  const body = document.body;
  const every = Number(body.dataset.refresh || 0) * 1000;
  let tag = null;
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: tag ? { 'If-None-Match': tag } : {}, credentials: 'same-origin' });
      if (answer.status === 304) return;
      const next = answer.headers.get('ETag');
      if (tag !== null && next !== tag) offer();
      tag = next;
    } catch { /* the next time */ }
  };
  const offer = () => {
    if (document.getElementById('news')) return;
    const note = document.createElement('button');
    note.id = 'news';
    note.type = 'button';
    note.textContent = document.documentElement.lang === 'en' ? 'There is news: show it' : '有更新，点击显示';
    note.addEventListener('click', () => location.reload());
    const live = document.createElement('div');
    live.className = 'banner';
    live.setAttribute('role', 'status');
    live.append(note);
    document.querySelector('main').before(live);
  };
  if (every) { look(); setInterval(look, every); }
  document.addEventListener('keydown', (event) => {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/') { const box = document.getElementById('q'); if (box) { event.preventDefault(); box.focus(); } }
  });
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = '1';
  });
})();
`;

export const scriptPath = `/console/assets/${createHash('sha256').update(script).digest('hex').slice(0, 12)}.js`;
