// Numbers as Grafana writes them, for the units that the dashboard has.

function rounded(value, decimals) {
  if (decimals !== undefined) return value.toFixed(decimals);
  const size = Math.abs(value);
  if (size === 0) return '0';
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3)));
}

function scaled(value, decimals, steps) {
  const [size, name] = steps.find(([least]) => Math.abs(value) >= least) ?? steps.at(-1);
  return `${rounded(value / size, decimals)}${name}`;
}

const UNITS = {
  none: (value, decimals) => rounded(value, decimals),
  percentunit: (value, decimals) => `${rounded(value * 100, decimals)}%`,
  short: (value, decimals) => scaled(value, decimals, [[1e6, ' Mil'], [1e3, ' K'], [1, '']]),
  s: (value, decimals) => (Math.abs(value) < 1 && value !== 0
    ? `${rounded(value * 1000, Math.abs(value) < 0.01 ? 1 : 0)} ms`
    : scaled(value, decimals, [[86400, ' days'], [3600, ' hours'], [60, ' mins'], [1, ' s']])),
  bytes: (value, decimals) => scaled(value, decimals, [[2 ** 30, ' GiB'], [2 ** 20, ' MiB'], [2 ** 10, ' KiB'], [1, ' B']]),
};

/** A value with its unit. */
export function written(value, unit, decimals) {
  if (unit.startsWith('suffix:')) return `${rounded(value, decimals)}${unit.slice('suffix:'.length)}`;
  const write = UNITS[unit];
  if (!write) throw new Error(`the unit ${unit} is missing in units.mjs`);
  return write(value, decimals);
}

/** Round numbers of seconds. */
const TIMES = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800];

/** At most `amount` round numbers from zero to a little above `top`. */
export function ticks(top, unit, amount = 5) {
  const raw = (top || 1) / amount;
  const base = unit === 'bytes' ? 2 ** Math.floor(Math.log2(raw)) : 10 ** Math.floor(Math.log10(raw));
  const sizes = unit === 's' && raw > 5 ? TIMES : [1, 2, 5, 10].map((factor) => factor * base);
  const step = sizes.find((size) => size >= raw);
  const found = [];
  for (let value = 0; value < top + step; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}
