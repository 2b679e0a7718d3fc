import { createHash } from 'node:crypto';

/** One sheet for all pages: system fonts, two themes, readable at 360 px. Colours pass AA on their grounds in both themes. */
export const style = `
:root{color-scheme:light dark;--ground:#fff;--raised:#f4f5f7;--line:#c9ced6;--ink:#1b1f24;--soft:#515a66;--link:#0b57b0;--bad:#a8071a;--bad-ground:#fdecee;--warn:#7a4b00;--warn-ground:#fff4dc;--good:#135c2b;--good-ground:#e8f6ec}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){--ground:#15181c;--raised:#1f242a;--line:#3b434d;--ink:#e8ebef;--soft:#aab3bf;--link:#84b8ff;--bad:#ff9aa5;--bad-ground:#3a1a1e;--warn:#ffcf7d;--warn-ground:#382a10;--good:#8fdca8;--good-ground:#16301e}}
:root[data-theme=dark]{color-scheme:dark;--ground:#15181c;--raised:#1f242a;--line:#3b434d;--ink:#e8ebef;--soft:#aab3bf;--link:#84b8ff;--bad:#ff9aa5;--bad-ground:#3a1a1e;--warn:#ffcf7d;--warn-ground:#382a10;--good:#8fdca8;--good-ground:#16301e}
:root[data-theme=light]{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"PingFang SC","Microsoft YaHei",sans-serif}
header,main,footer,.banner{padding:.6rem 1rem;max-width:76rem;margin:0 auto}
header{display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center;border-bottom:3px solid var(--line)}
[data-environment=production] header{border-bottom-color:var(--bad)}
.product{font-weight:700;text-decoration:none}
.environment{font-size:.8rem;border:1px solid currentcolor;border-radius:.3rem;padding:0 .4rem}
[data-environment=production] .environment{color:var(--bad)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem .9rem;list-style:none;margin:0;padding:0}
a{color:var(--link)}a,button,input,select,summary{min-height:1.75rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
h1{font-size:1.4rem;margin:.4rem 0}h2{font-size:1.1rem;margin:1.4rem 0 .4rem}h3{font-size:1rem;margin:1rem 0 .2rem}
small,.soft{color:var(--soft)}
.search{display:flex;flex:1 1 16rem;gap:.4rem}.search input{flex:1;min-width:8rem}
input,select,button,textarea{max-width:100%;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);border-radius:.3rem;padding:.25rem .6rem}
button{background:var(--raised);cursor:pointer}button.first{border:2px solid var(--link);font-weight:700}button.danger{border-color:var(--bad);color:var(--bad)}
.banner{background:var(--warn-ground);color:var(--warn);border-left:.4rem solid currentcolor}
.note{background:var(--good-ground);color:var(--good);border-left:.4rem solid currentcolor;padding:.4rem .8rem}
.note.bad{background:var(--bad-ground);color:var(--bad)}
.state{display:inline-block;white-space:nowrap;border:1px solid currentcolor;border-radius:.3rem;padding:0 .4rem;font-size:.9rem}
.state.errored,.state.unknown,.state.lost{color:var(--bad);background:var(--bad-ground)}
.state.retrying,.state.blocked,.state.paused{color:var(--warn);background:var(--warn-ground)}
.state.handled,.state.alive{color:var(--good);background:var(--good-ground)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;padding:0;list-style:none}
.cards a{display:block;text-decoration:none;background:var(--raised);border:1px solid var(--line);border-radius:.4rem;padding:.5rem .8rem}
.cards b{display:block;font-size:1.5rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:600;white-space:nowrap}
pre{background:var(--raised);border:1px solid var(--line);border-radius:.3rem;padding:.5rem;margin:.2rem 0;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;max-height:30rem;font:13px/1.45 ui-monospace,Menlo,Consolas,monospace}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.4rem 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:.3rem;margin:.3rem 0;padding:.2rem .6rem}summary{cursor:pointer}details.plain{border:0;padding:0;margin:0}details.plain>summary{font-size:.85rem;color:var(--soft)}p{margin:.4rem 0}
.acts{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));padding:0;list-style:none}
.acts form{border:1px solid var(--line);border-radius:.4rem;padding:.6rem;display:flex;flex-direction:column;gap:.4rem}
.story{list-style:none;padding:0}.story>li{border-left:3px solid var(--line);padding:.1rem 0 .5rem .8rem}
.short pre{max-height:6.5rem}svg.bars{width:100%;max-width:30rem;height:4rem;fill:var(--link);background:var(--raised)}ins{background:var(--good-ground);color:var(--good);text-decoration:none}del{background:var(--bad-ground);color:var(--bad);text-decoration:none}
.inline{display:inline}.copy{float:right;font-size:.8rem}#live:not(:empty){position:sticky;top:0;z-index:1;padding:.4rem 1rem;max-width:76rem;margin:0 auto;background:var(--warn-ground);color:var(--warn)}dialog{color:var(--ink);background:var(--ground);border:1px solid var(--line)}code{overflow-wrap:anywhere;font:13px ui-monospace,Menlo,Consolas,monospace}.hidden:focus{position:static;width:auto;height:auto;clip-path:none}
.filters{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end}
footer{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;border-top:1px solid var(--line);margin-top:2rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:480px){h2{margin:.8rem 0 .3rem}dl{gap:0 .5rem}dt{font-size:.85rem}nav ul{gap:0 .7rem}.acts form{padding:.4rem}dl{grid-template-columns:1fr}dt{margin-top:.3rem}th,td{padding:.25rem .35rem}header,main,footer,.banner{padding:.5rem .6rem}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;

export const stylePath = `/console/assets/${createHash('sha256').update(style).digest('hex').slice(0, 12)}.css`;
