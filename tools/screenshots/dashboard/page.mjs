// The page: every panel at its place.

import { graph } from './graph.mjs';
import { written } from './units.mjs';

const ROW = 38;
const COLORS = { green: '#73bf69', orange: '#ff9830', red: '#f2495c' };

export const text = (value) => String(value).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

const STYLE = `
* { box-sizing: border-box; margin: 0 }
body { background: #111217; color: #ccccdc; font: 13px/1.4 Inter, 'Liberation Sans', Arial, sans-serif; padding: 12px 16px }
header { display: flex; gap: 18px; align-items: center; padding: 2px 4px 12px }
header h1 { font-size: 19px; font-weight: 500; margin-right: auto }
header span { color: #9a9aab } header b { font-weight: 400; background: #181b1f; border: 1px solid #34373d; padding: 4px 9px; margin-left: 4px; color: #ccccdc }
main { position: relative }
section { position: absolute; background: #181b1f; border: 1px solid #25282d; border-radius: 2px; overflow: hidden }
section > h2 { font-size: 13px; font-weight: 500; padding: 7px 9px 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.row { background: none; border: 0; padding: 9px 2px 0; font-size: 15px; font-weight: 500 } .row small { color: #8e8e9c; margin-left: 10px; font-weight: 400; font-size: 13px }
.stat { display: grid; place-items: center; height: calc(100% - 34px); font-size: 38px; font-weight: 500; white-space: nowrap }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; padding: 0 10px; height: 40px; align-content: flex-start; overflow: hidden; font-size: 12px; color: #b8b8c8 }
.legend i { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin-right: 6px; vertical-align: 2px }
table { width: calc(100% - 18px); margin: 6px 9px; border-collapse: collapse } th { text-align: left; color: #6e9fff; font-weight: 500 } td, th { padding: 5px 6px; border-bottom: 1px solid #25282d }
td:last-child, th:last-child { text-align: right }
svg { display: block } svg text { fill: #8e8e9c; font-size: 11px }
.none { display: grid; place-items: center; height: 70%; color: #8e8e9c }
`;

function colorOf(value, { thresholds }) {
  const step = thresholds.steps.filter((one) => one.value === null || value >= one.value).at(-1);
  return COLORS[step.color] ?? step.color;
}

export function named(legend, metric) {
  return legend.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? '') || 'Value';
}

function stat({ fieldConfig: { defaults }, options, targets }, [series]) {
  const last = series?.at(-1)?.values.at(-1)?.[1];
  if (last === undefined) return `<div class=stat>${text(defaults.noValue)}</div>`;
  const value = Number(last);
  const word = defaults.mappings[0]?.options[String(value)];
  const shown = options.textMode === 'name' ? named(targets[0].legendFormat, series.at(-1).metric)
    : word?.text ?? written(value, defaults.unit, defaults.decimals);
  const color = word ? COLORS[word.color] : colorOf(value, defaults);
  return `<div class=stat style="color: ${color}">${text(shown)}</div>`;
}

function table({ fieldConfig: { defaults }, transformations, gridPos }, [series]) {
  if (!series.length) return '<div class=none>No data</div>';
  const columns = Object.entries(transformations[0].options.renameByName);
  const value = (one) => Number(one.values.at(-1)[1]);
  const rows = series.toSorted((one, other) => value(other) - value(one)).slice(0, Math.floor((gridPos.h * ROW - 70) / 29));
  const cell = (one, label) => (label === 'Value'
    ? `<td style="color: ${defaults.custom.cellOptions.type === 'auto' ? 'inherit' : colorOf(value(one), defaults)}">${text(written(value(one), defaults.unit, defaults.decimals))}</td>`
    : `<td>${text(one.metric[label] ?? '')}</td>`);
  return `<table><tr>${columns.map(([, title]) => `<th>${text(title)}</th>`).join('')}</tr>
    ${rows.map((one) => `<tr>${columns.map(([label]) => cell(one, label)).join('')}</tr>`).join('')}</table>`;
}

const FORMS = { stat, table, timeseries: graph };

/** The dashboard as one HTML page. */
export function page(dashboard, { start, end, answers }) {
  const width = 1568;
  const column = (width + 8) / 24;
  const panels = dashboard.panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const size = { width: Math.round(w * column - 8), height: h * ROW - 8 };
    const place = `left: ${Math.round(x * column)}px; top: ${y * ROW}px; width: ${size.width}px; height: ${size.height}px`;
    if (panel.type === 'row') return `<section class=row style="${place}">⌄ ${text(panel.title)}<small>${text(panel.description)}</small></section>`;
    const series = panel.targets.map((target) => answers[`${panel.id}${target.refId}`]);
    return `<section style="${place}"><h2>${text(panel.title)}</h2>${FORMS[panel.type](panel, series, { ...size, start, end })}</section>`;
  });
  const bottom = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
  const chosen = dashboard.templating.list.slice(1).map(({ label }) => `<span>${text(label)}<b>All</b></span>`).join('');
  return `<!doctype html><meta charset=utf-8><style>${STYLE}</style>
    <header><h1>${text(dashboard.title)}</h1>${chosen}</header><main style="height: ${bottom * ROW}px">${panels.join('')}</main>`;
}
