/**
 * How the report looks: black on white with one accent colour on paper, where it stays legible when printed in grey; the same on screens, dark
 * where that is asked for. Fonts of one width (Helvetica's), as the labels of the plots are measured with it.
 */
export const STYLE = `
:root { color-scheme: light; --paper: #fff; --ink: #1a1a1a; --soft: #5c5c5c; --grid: #e2e2e2; --axis: #8a8a8a; --peer: #b3b3b3; --peer-line: #7d7d7d; --accent: #10589e; --shade: #ececec; --note: #f4f4f2; }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #16181b; --ink: #e4e4e2; --soft: #a3a6aa; --grid: #303439; --axis: #767b82; --peer: #6a6f76; --peer-line: #969ba2; --accent: #6db1f2; --shade: #282c31; --note: #1f2226; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", "DejaVu Sans Condensed", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 732px; margin: 0 auto; padding: 40px 16px 64px; }
h1 { font-size: 27px; line-height: 1.2; letter-spacing: -0.01em; margin: 0 0 4px; }
h2 { font-size: 20px; line-height: 1.25; margin: 56px 0 8px; padding-top: 12px; border-top: 1.5px solid var(--ink); }
h2 small { font-weight: normal; font-size: 13px; color: var(--soft); float: right; padding-top: 5px; }
h3 { font-size: 15px; margin: 28px 0 6px; }
p { margin: 0 0 8px; max-width: 66ch; }
.lead { font-size: 17px; margin: 20px 0 4px; }
.soft { color: var(--soft); }
a { color: inherit; text-decoration: underline; text-decoration-color: var(--axis); text-underline-offset: 2px; }
.method { color: var(--soft); font-size: 13.5px; margin: 0 0 8px; padding: 0; list-style: none; max-width: 82ch; }
.method li { margin-bottom: 3px; }
.note { border-left: 3px solid var(--ink); background: var(--note); padding: 6px 12px; margin: 10px 0; font-size: 13.5px; max-width: none; }
.note b { margin-right: 4px; }
table { border-collapse: collapse; font-size: 13px; }
th { text-align: left; font-weight: normal; vertical-align: top; }
thead th { color: var(--soft); font-size: 12px; vertical-align: bottom; }
th, td { padding: 3px 14px 3px 0; }
thead tr { border-bottom: 1px solid var(--axis); }
.n { text-align: right; white-space: nowrap; }
thead .n { white-space: normal; }
.ratios thead .n { white-space: nowrap; }
.scroll { overflow-x: auto; }
.ratios { width: 100%; margin-bottom: 8px; }
.ratios td, .ratios th { vertical-align: middle; padding: 0 12px 0 0; }
.ratios tr > :last-child { padding-right: 0; }
.ratios tbody th { padding-top: 4px; padding-bottom: 4px; line-height: 1.3; }
.ratios tbody tr { border-bottom: 1px solid var(--grid); }
.ratios .plot { width: 160px; }
.ratios .bar-text { white-space: nowrap; }
.ratios svg { display: block; }
.ratios .scenario { font-size: 11.5px; color: var(--soft); }
.ratios .verdict { font-size: 12px; line-height: 1.3; width: 128px; }
.reading { font-size: 12px; color: var(--soft); max-width: 82ch; margin-top: 6px; }
.prose { columns: 2; column-gap: 32px; font-size: 13.5px; }
.prose h3 { margin-top: 0; break-after: avoid; }
.prose p { margin-bottom: 18px; orphans: 3; widows: 3; }
.ratios .missed .verdict, .ratios .missed-within-noise .verdict { font-weight: bold; }
.ratios .verdict span { display: block; font-weight: normal; color: var(--soft); }
.ratios .interval-text { color: var(--soft); font-size: 12px; }
.contents { columns: 2; column-gap: 32px; padding: 0; margin: 8px 0; list-style: none; font-size: 13.5px; }
.contents li { break-inside: avoid; }
figure { margin: 26px 0 18px; }
figcaption { font-size: 14px; margin-bottom: 6px; line-height: 1.35; }
figcaption b { font-weight: bold; }
figcaption span { color: var(--soft); font-size: 13px; }
figure svg { display: block; width: 100%; height: auto; }
svg.narrow { display: none; }
/* So that lines behind a text do not cross it out. */
svg text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
details { margin-top: 4px; font-size: 12.5px; color: var(--soft); }
details table { font-size: 12px; margin: 6px 0; color: var(--ink); }
summary { cursor: pointer; width: fit-content; }
svg text { font-size: 12.5px; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg text.of-tether { fill: var(--accent); font-weight: bold; }
svg text.of-limit { font-style: italic; fill: var(--soft); }
svg text.value { text-anchor: end; }
svg text.soft { fill: var(--soft); }
svg text.head, svg text.tick { font-size: 11px; fill: var(--soft); }
svg text.head, svg text.end { text-anchor: end; }
svg text.middle { text-anchor: middle; }
.grid { stroke: var(--grid); stroke-width: 1; }
.axis, .mark { stroke: var(--axis); stroke-width: 1; }
.bar.of-tether { fill: var(--accent); }
.bar.of-peer { fill: var(--peer); }
.bar.of-limit { stroke: var(--axis); stroke-width: 1; }
.hatch { stroke: var(--axis); stroke-width: 1.2; }
.reference { stroke: var(--axis); stroke-width: 1; stroke-dasharray: 2 3; }
.halo { fill: none; stroke: var(--paper); stroke-width: 3.4; }
.whisker { fill: none; stroke: var(--ink); stroke-width: 1.3; }
.dot { fill: var(--ink); fill-opacity: 0.5; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.line.of-tether { stroke: var(--accent); stroke-width: 2.2; }
.line.of-peer { stroke: var(--peer-line); }
.line.of-limit { stroke: var(--ink); stroke-width: 1.8; stroke-linecap: round; }
.point.of-tether { fill: var(--accent); }
.point.of-peer { fill: var(--peer-line); }
.point.of-limit { fill: var(--ink); }
.leader { fill: none; stroke: var(--axis); stroke-width: 0.7; }
.short { fill: var(--shade); }
.target { stroke: var(--ink); stroke-width: 1.2; }
.interval { stroke: var(--accent); stroke-width: 2; }
.median { fill: var(--accent); stroke: var(--accent); stroke-width: 1.8; }
.median.missed, .median.missed-within-noise { fill: var(--paper); }
@media screen and (max-width: 640px) {
  main { padding-top: 24px; }
  h1 { font-size: 23px; }
  h2 small { float: none; display: block; padding: 2px 0 0; }
  svg.wide { display: none !important; }
  svg.narrow { display: block; }
  .contents, .prose { columns: 1; }
  .ratios thead { display: none; }
  .ratios tbody tr { display: grid; grid-template: "title title title" auto "median interval plot" auto "bar verdict plot" auto / auto 1fr auto; column-gap: 10px; row-gap: 2px; padding: 8px 0; align-items: center; }
  .ratios td, .ratios tbody th { padding: 0; }
  .ratios tbody th { grid-area: title; }
  .ratios .n { grid-area: median; text-align: left; font-weight: bold; }
  .ratios .interval-text { grid-area: interval; font-weight: normal; }
  .ratios .bar-text { grid-area: bar; }
  .ratios .verdict { grid-area: verdict; width: auto; }
  .ratios .verdict span { display: none; }
  .ratios .plot { grid-area: plot; }
}
@page { size: A4; margin: 17mm 15mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt Helvetica, Arial, sans-serif; color: #5c5c5c; } }
@media print {
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  details { display: none; }
  h2 { break-after: avoid; margin-top: 34px; }
  h3 { break-after: avoid; }
  .summary { break-after: page; }
  .summary + section h2 { margin-top: 0; }
  .method, .note, figure, .ratios tr, .facts { break-inside: avoid; }
  .ratios thead { display: table-header-group; }
  a { text-decoration: none; }
}
`;
