// A real Chromium, and pages in it that note everything that should not happen.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Pictures of the pages, to be looked at; git ignores the folder. */
const PICTURES = new URL('../../../target/browser/', import.meta.url).pathname;

export const PHONE = { width: 360, height: 760 };
export const DESKTOP = { width: 1280, height: 800 };

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A browser, and what `start` starts, for all tests of a file; both end with the last of them. */
export async function together(start) {
  const [browser, box] = await Promise.all([launch(), start()]);
  after(async () => {
    await browser.close();
    await box.stop();
  });
  return { browser, box };
}

/**
 * Opens an address and calls `use` with the page. Afterwards nothing may have gone wrong in it: no
 * error, no dialog, nothing that the Content-Security-Policy stopped, no request to another host.
 * `options`: `viewport`, `colorScheme`, `reducedMotion`, and `expected`, a pattern of what may be logged.
 */
export async function withPage(browser, address, options, use) {
  const { expected, ...rest } = options;
  const context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'light', ...rest });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => wrong.push(`error: ${error.stack}`));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  const { host } = new URL(address);
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.host !== host) wrong.push(`request to ${request.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  try {
    await page.goto(address);
    await use(page);
    assert.deepEqual(wrong.filter((line) => !expected?.test(line)), []);
  } finally {
    await context.close();
  }
}

/** Saves a picture of the page. */
export async function picture(page, name) {
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}${name}.png` });
}

/** No violation that axe-core knows of, in what is shown now. */
export async function assertAccessible(page, what) {
  // What fades in has the contrast of its first moment.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 4).map((node) => `    ${node.html.slice(0, 200)}\n      ${node.failureSummary}`).join('\n')}`);
  assert.equal(told.join('\n'), '', `${what} has violations`);
}

/** Nothing sticks out at the right: the page scrolls in one direction only. */
export async function assertNoHorizontalScroll(page, what) {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => element && (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.body.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > width + 0.5 && element.checkVisibility() && !scrolls(element.parentElement === document.body ? null : element.parentElement))
      .map((element) => `${element.tagName}.${element.className}`)
      .concat(document.documentElement.scrollWidth > width ? ['the document'] : []);
  });
  assert.deepEqual(wide, [], `${what} is wider than the screen`);
  const scrolled = await page.evaluate(() => [...document.querySelectorAll('main, .messages, .details, .rooms')]
    .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth + 1).map((element) => element.className || element.tagName));
  assert.deepEqual(scrolled, [], `${what} scrolls sideways`);
}
