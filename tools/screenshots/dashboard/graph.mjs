// A panel of lines or stacked areas over time, as SVG.

import { named, text } from './page.mjs';
import { ticks, written } from './units.mjs';

const PALETTE = ['#73bf69', '#f2cc0c', '#5794f2', '#ff9830', '#f2495c', '#b877d9', '#8ab8ff', '#96d98d', '#ffb357', '#ca95e5', '#c4162a', '#37872d', '#e0b400', '#1f60c4', '#fa6400'];
const LEFT = 62;
const LEGEND = 42;
const TITLE = 32;
const TIMES = 20;

/** All series of a panel, with their names, and what they stand on where they are stacked. */
function layers({ targets, fieldConfig: { defaults } }, answered) {
  const found = answered.flatMap((series, index) => series.map(({ metric, values }) => ({
    name: named(targets[index].legendFormat, metric),
    points: values.map(([at, value]) => ({ at, value: Number(value), from: 0 })),
  }))).sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }));
  if (defaults.custom.stacking.mode === 'normal') {
    const heights = new Map();
    for (const point of found.flatMap(({ points }) => points)) {
      point.from = heights.get(point.at) ?? 0;
      if (Number.isFinite(point.value)) point.value += point.from;
      heights.set(point.at, Number.isFinite(point.value) ? point.value : point.from);
    }
  }
  return found.map((layer, index) => ({ ...layer, color: PALETTE[index % PALETTE.length] }));
}

/** The points without those that are no numbers, in runs without gaps. */
function runs(points, gap) {
  const found = [];
  let last = null;
  for (const point of points.filter(({ value }) => Number.isFinite(value))) {
    if (last && point.at - last.at <= gap) found.at(-1).push(point);
    else found.push([point]);
    last = point;
  }
  return found;
}

export function graph(panel, answered, { width, height, start, end }) {
  const { defaults } = panel.fieldConfig;
  const stacked = defaults.custom.stacking.mode === 'normal';
  const all = layers(panel, answered);
  const values = all.flatMap(({ points }) => points.map(({ value }) => value)).filter(Number.isFinite);
  if (!values.length) return '<div class=none>No data</div>';
  const marks = ticks(Math.max(...values), defaults.unit);
  const inner = { width: width - LEFT - 14, height: height - TITLE - LEGEND - TIMES };
  const x = (at) => (LEFT + ((at - start) / (end - start)) * inner.width).toFixed(1);
  const y = (value) => (6 + (1 - value / marks.at(-1)) * (inner.height - 6)).toFixed(1);
  const grid = marks.map((mark) => `<path d="M${LEFT} ${y(mark)}H${width - 14}" stroke="#2a2d32"/>
    <text x="${LEFT - 8}" y="${Number(y(mark)) + 4}" text-anchor="end">${text(written(mark, defaults.unit))}</text>`);
  const every = [5, 10, 15, 30, 60].find((step) => (end - start) / step <= width / 115) ?? 120;
  const times = [];
  for (let at = Math.ceil(start / every) * every; at < end; at += every) {
    times.push(`<text x="${x(at)}" y="${inner.height + 17}" text-anchor="middle">${new Date(at * 1000).toISOString().slice(11, 19)}</text>`);
  }
  const gap = 2.5 * Math.max(1, Math.round((end - start) / 250));
  // In a stack, what is nothing would only hide the line below it.
  const seen = all.filter(({ points }) => !stacked || points.some(({ value, from }) => value > from));
  const drawn = seen.map(({ points, color }) => runs(points, gap).map((run) => {
    const line = run.map(({ at, value }) => `${x(at)} ${y(value)}`);
    const base = run.toReversed().map(({ at, from }) => `${x(at)} ${y(from)}`);
    return `<path d="M${line.concat(base).join('L')}Z" fill="${color}" fill-opacity="${defaults.custom.fillOpacity / 100}"/>
      <path d="M${line.join('L')}" fill="none" stroke="${color}" stroke-width="1.4" stroke-linejoin="round"/>`;
  }).join(''));
  const bad = defaults.custom.thresholdsStyle.mode === 'line' ? defaults.thresholds.steps.at(-1).value : undefined;
  const limit = bad !== undefined && bad <= marks.at(-1) ? `<path d="M${LEFT} ${y(bad)}H${width - 14}" stroke="#f2495c" stroke-dasharray="6 4"/>` : '';
  const legend = all.map(({ name, color }) => `<span><i style="background: ${color}"></i>${text(name)}</span>`).join('');
  return `<svg width="${width}" height="${inner.height + TIMES}">${grid.join('')}${drawn.join('')}${limit}${times.join('')}</svg><div class=legend>${legend}</div>`;
}
