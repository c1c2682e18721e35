// Draws the dashboard from what a real Prometheus answered to its queries, laid out as Grafana lays
// it out: 24 columns, rows of 30 pixels. It is not Grafana that draws, since that is in no registry.
//
//     python3 tools/monitoring/check_dashboard.py --seconds 150 --record ANSWERS
//     node tools/screenshots/dashboard.mjs ANSWERS PICTURE
//
// CHROMIUM is as for `take.mjs`. The drawing itself is in dashboard/.

import { readFile } from 'node:fs/promises';
import { launch } from '../../tests/browser/harness/browser.mjs';
import { page as draw } from './dashboard/page.mjs';

const [answers, picture] = process.argv.slice(2);
const dashboard = JSON.parse(await readFile(new URL('../../chart/monitoring/dashboard.json', import.meta.url)));
const recorded = JSON.parse(await readFile(answers));

const browser = await launch();
try {
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 } });
  const page = await context.newPage();
  await page.setContent(draw(dashboard, recorded));
  await page.screenshot({ path: picture, fullPage: true });
} finally {
  await browser.close();
}
