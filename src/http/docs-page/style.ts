/**
 * The page's only style, inline because the page loads nothing. Neutral greys and one accent; wide screens show
 * the samples beside the text, narrow ones turn each row of a table into a small block.
 */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #fdfdfc; --raised: #f5f5f3; --line: #e3e3df; --text: #24262a; --quiet: #666a70; --accent: #0b6b64; --mark: #e4f1ef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #17191b; --raised: #1f2225; --line: #32363a; --text: #dfe1e3; --quiet: #9aa0a6; --accent: #66c7bb; --mark: #1d3432;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.6 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; overflow-wrap: break-word;
}
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; font-size: 0.875em; }
a { color: var(--accent); text-underline-offset: 0.2em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -100vw; padding: 0.5rem 1rem; background: var(--ground); }
.skip:focus { left: 0; z-index: 1; }

h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 650; text-wrap: balance; }
h1 { font-size: 2.25rem; letter-spacing: -0.02em; }
h2 { font-size: 1.6rem; letter-spacing: -0.015em; }
h3 { font-size: 1.2rem; }
h4 { font-size: 0.95rem; margin: 2.25rem 0 0.5rem; }
h4 code { color: var(--quiet); font-weight: 400; margin-left: 0.35em; }
h3 a { color: inherit; text-decoration: none; }
h3 a:hover { text-decoration: underline; }
p { margin: 0.75rem 0; max-width: 42rem; }
.version, figcaption, .presence, .values { color: var(--quiet); }
.route { font-size: 0.9rem; }
.method { color: var(--accent); font-weight: 700; }

main { padding: 2rem 1.25rem 6rem; max-width: 88rem; }
section { margin-top: 4.5rem; }
.operation { margin-top: 2.5rem; padding-top: 2.5rem; border-top: 1px solid var(--line); }
.operation:first-of-type { border-top: 0; padding-top: 0; margin-top: 1.5rem; }

figure { margin: 1rem 0; max-width: 46rem; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); overflow: hidden; }
figcaption { font-size: 0.8rem; padding: 0.4rem 1rem; border-bottom: 1px solid var(--line); }
pre { margin: 0; padding: 0.85rem 1rem; overflow-x: auto; line-height: 1.55; tab-size: 2; }
pre:focus-visible { outline-offset: -2px; }

table { width: 100%; border-collapse: collapse; font-size: 0.9rem; line-height: 1.5; }
th, td { text-align: left; vertical-align: top; padding: 0.6rem 1rem 0.6rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--quiet); font-size: 0.8rem; padding-top: 0.25rem; padding-bottom: 0.25rem; }
tbody th { width: 28%; }
.type { width: 26%; }
.presence { width: 6.5rem; }
.presence strong { color: var(--text); font-weight: 600; }
.values { display: block; overflow-wrap: anywhere; }
.values code { margin-right: 0.35em; }
.errors tbody th { width: 16rem; }
.errors .type { width: 13rem; }
tr:target > * { background: var(--mark); }
.failures { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 0.5rem 0; font-size: 0.9rem; }
.failures dd { margin: 0; }

.contents { padding: 1.5rem 1.25rem; border-bottom: 1px solid var(--line); font-size: 0.9rem; }
.contents ul { list-style: none; margin: 0; padding: 0; }
.contents ul ul { padding-left: 0.9rem; border-left: 1px solid var(--line); margin: 0.1rem 0 0.5rem; }
.contents a { display: block; padding: 0.2rem 0; color: var(--text); text-decoration: none; }
.contents ul ul a { color: var(--quiet); }
.contents a:hover { color: var(--accent); }
.contents .name { margin: 0 0 0.75rem; font-weight: 650; }

@media (max-width: 47.99rem) {
  thead { display: none; }
  table, tbody, tr, th, td { display: block; width: auto !important; }
  tr { padding: 0.7rem 0; border-bottom: 1px solid var(--line); }
  tbody th, td { border: 0; padding: 0; }
  .tables tr { display: grid; grid-template-columns: 1fr auto; column-gap: 1rem; }
  .tables .presence { grid-area: 1 / 2; }
  .tables .type, .tables .about-field { grid-column: 1 / -1; }
  .type { color: var(--quiet); }
  .errors .values { display: inline; }
}
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 15rem minmax(0, 1fr); }
  .contents { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 2.5rem 1.5rem; border-bottom: 0; border-right: 1px solid var(--line); }
  main { padding: 3rem 3rem 8rem; }
}
@media (min-width: 82rem) {
  .operation { display: grid; grid-template: auto 1fr / minmax(0, 1.25fr) minmax(0, 1fr); column-gap: 3rem; }
  .operation > header, .operation > .tables { grid-column: 1; }
  .operation > .samples { grid-area: 1 / 2 / span 2; }
  .operation .samples figure:first-child { margin-top: 0; }
}
`
