// Cards: the page shows the text that Microsoft's own renderer shows, for each built-in card and
// sample, and for what their authors may write besides.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { before, describe, test } from 'node:test';
import { command, sandbox } from './harness/process.mjs';
import { together, withPage } from './harness/browser.mjs';

const require = createRequire(import.meta.url);

const { browser, box } = await together(sandbox);
let reference;

before(async () => {
  reference = await browser.newPage();
  await reference.addScriptTag({ path: require.resolve('adaptivecards/dist/adaptivecards.min.js') });
  await reference.addScriptTag({ path: require.resolve('markdown-it/dist/markdown-it.min.js') });
});

const plain = (text) => text.replace(/\s+/g, ' ').trim();

/** What Microsoft's renderer shows of a card: its text, and that of each card that it opens. */
async function expected(content) {
  const shown = await reference.evaluate((card) => {
    const { AdaptiveCards, markdownit } = globalThis;
    // Of Markdown, cards are documented to know bold, italic, lists and links.
    const markdown = markdownit({ breaks: true })
      .disable(['heading', 'lheading', 'blockquote', 'code', 'fence', 'hr', 'reference', 'table', 'backticks', 'image', 'autolink', 'strikethrough']);
    AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
      result.outputHtml = markdown.render(text);
      result.didProcess = true;
    };
    const one = new AdaptiveCards.AdaptiveCard();
    one.parse(card);
    const element = one.render();
    document.body.replaceChildren(element);
    const texts = [element.innerText];
    for (const opener of element.querySelectorAll('button[aria-expanded]')) {
      opener.click();
      texts.push(element.innerText);
      opener.click();
    }
    return texts;
  }, content);
  return shown.map(plain);
}

/** The same of the page's own. */
function actual(page, content) {
  return page.evaluate(async (card) => {
    const { showCard } = await import('/card.js');
    const element = showCard(card);
    document.querySelector('main').replaceChildren(element);
    // Small arrows on buttons are no text of the card.
    const texts = [element.innerText];
    for (const opener of element.querySelectorAll('button[aria-expanded]')) {
      opener.click();
      texts.push(element.innerText);
      opener.click();
    }
    return texts;
  }, content).then((texts) => texts.map(plain));
}

// `life` is a sequence of notifications, which has no card of its own.
const samples = (await command('render', '--list-samples')).split('\n').map((line) => line.trim().split(/\s+/)[0]).filter((name) => name && name !== 'life');

describe('A card shows what Microsoft\'s renderer shows', () => {
  test('there are samples', () => assert.ok(samples.length >= 10, samples.join()));

  for (const sample of samples) {
    test(`the card of compact for ${sample}`, async () => {
      const content = JSON.parse(await command('render', '--sample', sample, '--template', 'compact', '--format', 'card'));
      await withPage(browser, box.page, {}, async (page) => {
        await page.locator('#rooms a').first().waitFor();
        assert.deepEqual(await actual(page, content), await expected(content));
      });
    });
  }

  test('a card with all that the page knows', async () => {
    const content = {
      type: 'AdaptiveCard', version: '1.3',
      body: [
        { type: 'TextBlock', text: 'A **bold** and *italic* [link](https://example.org) with snake_case_name and 2 \\* 3', wrap: true },
        { type: 'TextBlock', text: 'before\n\n- one\n- **two**\n- three', wrap: true },
        { type: 'TextBlock', text: 'hidden', isVisible: false },
        { type: 'RichTextBlock', inlines: ['plain ', { type: 'TextRun', text: 'run', weight: 'bolder' }] },
        { type: 'FactSet', facts: [{ title: 'a', value: '**b**' }, { title: 'c', value: 'd' }] },
        { type: 'Container', items: [{ type: 'ColumnSet', columns: [{ width: 'auto', items: [{ type: 'TextBlock', text: 'left' }] }, { items: [{ type: 'TextBlock', text: 'right' }] }] }] },
        { type: 'ActionSet', actions: [{ type: 'Action.OpenUrl', title: 'in the body', url: 'https://example.org' }] },
      ],
      actions: [
        { type: 'Action.OpenUrl', title: 'Open', url: 'https://example.org' },
        { type: 'Action.ShowCard', title: 'Show', card: { type: 'AdaptiveCard', body: [{ type: 'TextBlock', text: 'what was shown' }], actions: [{ type: 'Action.OpenUrl', title: 'Inner', url: 'https://example.org' }] } },
        { type: 'Action.ShowCard', title: 'Other', card: { type: 'AdaptiveCard', body: [{ type: 'TextBlock', text: 'what else was shown' }] } },
      ],
    };
    await withPage(browser, box.page, {}, async (page) => {
      await page.locator('#rooms a').first().waitFor();
      assert.deepEqual(await actual(page, content), await expected(content));
    });
  });
});
