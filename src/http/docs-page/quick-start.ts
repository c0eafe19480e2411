/** The first section: from nothing to a picture in one command, with the model that every installation has. */
import { type Html, html } from './html.ts'
import { renderSample } from './operations.ts'
import { shellQuote } from './shell-quote.ts'

const body = { model: 'gesso-collage', prompt: 'three neon orange foxes in a misty forest at night' }

/** `baseUrl` has no slash at its end. */
export function renderQuickStart(baseUrl: string): Html {
  const curl = [
    `curl ${shellQuote(`${baseUrl}/v1/images/generations`)}`,
    '-H "Authorization: Bearer $GESSO_API_KEY"',
    `-H ${shellQuote('Content-Type: application/json')}`,
    `-d ${shellQuote(JSON.stringify(body))}`,
  ].join(' \\\n  ')
  return html`<section aria-labelledby="in-one-minute">
<h2 id="in-one-minute">In one minute</h2>
<p>Gesso prints an API key when it starts for the first time. Keep it in a variable, and ask for a picture:</p>
${renderSample('Your key', 'export GESSO_API_KEY=gs_…')}
${renderSample('A first picture', curl)}
<p>Open <code>data[0].url</code> of the answer in a browser. <code>gesso-collage</code> is built in and needs no provider; <code>GET /v1/models</code> lists the models you can put in its place.</p>
<p>Any OpenAI client works as well: give it the base URL <code>${baseUrl}/v1</code> and your key.</p>
</section>
`
}
