// Takes the pictures of the status page for the documentation: starts the service and the sandbox
// on free ports, lets some of it go wrong, opens the page in Chromium, and ends what it started.
//
//     node status.mjs FOLDER
//
// CHROMIUM names another browser than /usr/bin/chromium, BINARY another program than the debug
// build.

import { launch } from '../../tests/browser/harness/browser.mjs';
import { firing, serve } from '../../tests/browser/harness/service.mjs';

const [folder] = process.argv.slice(2);
const DESKTOP = { width: 1040, height: 780 };
const PHONE = { width: 390, height: 844 };
const TOKEN = 'token-of-the-team-checkout';

const TEAMS = ['checkout', 'payments', 'search', 'shipping'];
/** Each team has a receiver as prometheus-operator names it; `payments` has a room without the bot. */
const config = ({ room }) => `
[bots.search]
token_file = "search-token"
[rooms]
${TEAMS.map((team) => `${team} = "${room(team)}"`).join('\n')}
platform = "${room('platform')}"
payments-night = "Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA"
[receivers.default]
rooms = ["platform"]
bot = "default"
${TEAMS.map((team) => `[receivers."${team}/webex/main"]\nrooms = [${team === 'payments' ? '"payments", "payments-night"' : `"${team}"`}]\nbot = "${team === 'search' ? 'search' : 'default'}"\n`).join('')}
[receivers."shipping/webex/batch"]
rooms = ["shipping"]
bot = "default"
max_messages_per_minute = 1
[receivers."infra/webex/storage"]
rooms = ["platform"]
bot = "default"
`;

const fine = (more) => config(more).replace('"payments", "payments-night"', '"payments"').replace('bot = "search"', 'bot = "default"');
const guarded = (more) => fine(more).replace('[receivers."checkout/webex/main"]', `[receivers."checkout/webex/main"]\nbearer_token_file = "${more.file('team')}"`);

const browser = await launch();

/** Starts a service, lets `happen` what is to be seen, and takes pictures. */
async function story(toml, happen, pictures) {
  const service = await serve({
    rooms: [...TEAMS, 'platform'], files: { team: TOKEN, 'search-token': 'a-token-that-was-revoked' },
    bot: 'messages_per_minute = 600\nburst = 100', config: toml,
  });
  try {
    await happen(service);
    for (const { name, viewport, colorScheme = 'light', receiver, ready } of pictures) {
      const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 2, reducedMotion: 'reduce' });
      const page = await context.newPage();
      await page.goto(receiver ? `${service.page}?receiver=${receiver}` : service.page);
      if (receiver) {
        await page.getByLabel('Token', { exact: true }).fill(TOKEN);
        await page.getByRole('button', { name: 'Show the status' }).click();
      }
      await page.locator('.receiver').first().waitFor();
      await ready?.(page);
      await page.locator('.link.live').waitFor();
      await page.screenshot({ path: `${folder}/${name}.png` });
      await context.close();
    }
  } finally {
    await service.stop();
  }
}

try {
  await story(guarded, async (service) => {
    for (const receiver of ['', 'payments/webex/main', 'search/webex/main', 'shipping/webex/main']) await service.notify(receiver);
    const show = { Authorization: `Bearer ${TOKEN}` };
    for (const group of ['A', 'B', 'C']) await service.notify('checkout/webex/main', firing(group), show);
  }, [
    { name: 'status', viewport: DESKTOP },
    { name: 'status-tenant', viewport: { ...DESKTOP, height: 620 }, receiver: 'checkout/webex/main' },
  ]);
  await story(config, async (service) => {
    for (const receiver of ['', 'checkout/webex/main', 'shipping/webex/main', 'payments/webex/main']) await service.notify(receiver);
    // The first two are posted; what comes after waits for the receiver's quota.
    await Promise.all(['A', 'B', 'C', 'D', 'E'].map((group) => service.notify('shipping/webex/batch', firing(group))));
    await Promise.all([service.notify('search/webex/main'), service.notify('search/webex/main')]);
  }, [
    { name: 'status-trouble', viewport: { ...DESKTOP, height: 900 } },
    { name: 'status-phone', viewport: PHONE, colorScheme: 'dark' },
  ]);
} finally {
  await browser.close();
}
