import { createHash } from 'node:crypto';

/**
 * All that the pages do with a script; everything works without it. A page that may change asks every few seconds whether it has (a 304
 * costs nothing, nothing is asked while hidden). News are offered where they would move what is being read, and shown at once where only
 * numbers change; what is open, focused, selected or half typed stays. Relative times tick; keys; copying, also over plain HTTP.
 */
export const script = `'use strict';
(() => {
  const body = document.body;
  const words = JSON.parse(body.dataset.words);
  const zh = document.documentElement.lang !== 'en';
  const $$ = (query, of = document) => [...of.querySelectorAll(query)];
  const live = document.getElementById('live');
  const tell = (text) => { live.textContent = text; };

  // News
  let tag = null, paused = false, waits = null, back = 1;
  const every = Number(body.dataset.refresh || 0) * 1000;
  const look = async () => {
    if (document.hidden || paused || waits) return;
    try {
      const answer = await fetch(location.href, { headers: tag ? { 'If-None-Match': tag } : {}, credentials: 'same-origin' });
      back = 1;
      const text = await answer.text(); // also when it is not needed: a body that is not read keeps its connection
      if (answer.status === 304 || !answer.ok) return;
      const before = tag;
      tag = answer.headers.get('ETag');
      if (before === null || before === tag) return;
      const next = new DOMParser().parseFromString(text, 'text/html');
      if (body.dataset.live && !isBusy()) show(next); else offer(next);
    } catch { back = Math.min(12, back * 2); }
  };
  const isBusy = () => Boolean(String(getSelection())) || $$('main input, main textarea').some((one) => one === document.activeElement || (one.type !== 'hidden' && one.value !== one.defaultValue));
  const rows = (of) => new Set($$('main tbody tr td:first-child a', of).map((one) => one.getAttribute('href')));
  const offer = (next) => {
    waits = next;
    const old = rows(document), fresh = [...rows(next)].filter((href) => !old.has(href)).length;
    const button = document.createElement('button');
    button.id = 'news';
    button.type = 'button';
    button.textContent = (fresh ? fresh + ' · ' : '') + words.news;
    button.addEventListener('click', () => show(waits));
    live.replaceChildren(button);
  };
  const show = (next) => {
    waits = null;
    const main = document.querySelector('main'), fresh = next.querySelector('main');
    const open = $$('details', main).map((one, i) => one.open && (one.id || i)).filter((one) => one !== false);
    const typed = $$('input:not([type=hidden]), textarea, select', main).map((one) => [one.form && one.form.getAttribute('action'), one.name, one.value, one.defaultValue, one]);
    const focused = typed.findIndex((one) => one[4] === document.activeElement);
    const x = scrollX, y = scrollY;
    main.innerHTML = fresh.innerHTML;
    $$('details', main).forEach((one, i) => { if (open.includes(one.id || i)) one.open = true; });
    typed.forEach(([action, name, value, was], i) => {
      const same = $$('input:not([type=hidden]), textarea, select', main).find((one) => one.name === name && (one.form && one.form.getAttribute('action')) === action);
      if (!same) return;
      if (value !== was && same.tagName !== 'SELECT') same.value = value;
      if (i === focused) same.focus();
    });
    scrollTo(x, y);
    live.replaceChildren();
    dress(main);
  };
  if (every) {
    const round = async () => { await look(); setTimeout(round, every * back); };
    round();
    document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
  }

  // Times that tick
  const length = (ms) => {
    const s = Math.round(Math.abs(ms) / 1000);
    const [n, a, b] = s < 90 ? [s, '秒', 's'] : s < 5400 ? [Math.round(s / 60), '分钟', 'min'] : s < 129600 ? [Math.round(s / 3600), '小时', 'h'] : [Math.round(s / 86400), '天', 'd'];
    return n + ' ' + (zh ? a : b);
  };
  setInterval(() => {
    if (document.hidden || paused) return;
    for (const one of $$('time')) {
      const small = one.querySelector('small'), ms = Date.parse(one.dateTime) - Date.now();
      if (small) small.textContent = zh ? length(ms) + (ms <= 0 ? '前' : '后') : ms <= 0 ? length(ms) + ' ago' : 'in ' + length(ms);
    }
  }, 1000);

  // Copying
  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); }
    catch {
      const area = document.createElement('textarea');
      area.value = text;
      area.setAttribute('aria-label', words.copy);
      body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    tell(words.copied);
  };
  const dress = (of) => {
    for (const one of $$('pre', of)) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = words.copy;
      const text = one.textContent;
      button.addEventListener('click', () => copy(text));
      one.before(button);
    }
  };
  dress(document.querySelector('main'));

  // Keys
  const help = document.createElement('dialog');
  help.setAttribute('aria-label', words.help);
  const keys = document.createElement('p');
  keys.textContent = words.keys;
  const close = document.createElement('button');
  close.textContent = 'OK';
  close.addEventListener('click', () => help.close());
  help.append(keys, close);
  body.append(help);
  const shown = document.createElement('button');
  shown.type = 'button';
  shown.textContent = words.help + ' ?';
  shown.addEventListener('click', () => help.showModal());
  document.querySelector('footer').append(shown);
  let row = -1, went = false;
  const go = { o: '/console/', e: '/console/events', c: '/console/causes', s: '/console/schedules' };
  const base = location.pathname.slice(0, Math.max(0, location.pathname.indexOf('/console')));
  document.addEventListener('keydown', (event) => {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (went && go[key]) location.href = base + go[key];
    went = key === 'g';
    if (key === '/') { const box = document.getElementById('q'); if (box) { event.preventDefault(); box.focus(); } }
    if (key === '?') help.showModal();
    if (key === 'r') { paused = !paused; tell(paused ? words.paused : ''); }
    if (key === 'j' || key === 'k') {
      const links = $$('main tbody tr').map((one) => one.querySelector('a')).filter(Boolean);
      row = Math.max(0, Math.min(links.length - 1, row + (key === 'j' ? 1 : -1)));
      if (links[row]) links[row].focus();
    }
  });

  // A form is sent once
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.dataset.sent && form.method === 'post' && !/export$/.test(form.action)) event.preventDefault();
    form.dataset.sent = '1';
  });
  addEventListener('pageshow', () => { for (const one of $$('form')) delete one.dataset.sent; });
})();
`;

export const scriptPath = `/console/assets/${createHash('sha256').update(script).digest('hex').slice(0, 12)}.js`;
