/** The section "Errors": their one shape, and an anchor per code that a message or a log can link to. */
import { errorAdvice } from './error-advice.ts'
import { breakable, type Html, html, inline } from './html.ts'
import { renderSample } from './operations.ts'

/** An error code as the API answers it. */
export interface DocumentedError {
  code: string
  /** The HTTP status. */
  status: number
  type: string
}

const example = {
  error: {
    message: 'n is 40, but must be a whole number from 1 to 10.',
    type: 'invalid_request_error',
    code: 'invalid_image_request',
    param: 'n',
  },
}

const advice: Record<string, string | undefined> = errorAdvice

/** Each code stands at `#error-<code>`. */
export function renderErrors(errors: readonly DocumentedError[]): Html {
  return html`<section aria-labelledby="errors">
<h2 id="errors">Errors</h2>
<div class="operation">
<header>
<p>Every error is JSON of one shape and has all four keys; <code>param</code> names the field at fault, or is <code>null</code>. The message is for people; a program decides by the code.</p>
<p>The header <code>x-should-retry</code> says whether the same request may simply be sent again. It is <code>false</code> wherever that could make and pay for an image twice. With status 429, <code>Retry-After</code> says how many seconds to wait. The header <code>x-request-id</code> is what an operator needs to find the request in the log.</p>
</header>
<div class="samples">${renderSample('Example', JSON.stringify(example, null, 2))}</div>
</div>
<table class="errors" role="table" aria-labelledby="errors">
<thead role="rowgroup"><tr role="row"><th role="columnheader">Code</th><th role="columnheader">Status</th><th role="columnheader">Meaning, and what to do</th></tr></thead>
<tbody role="rowgroup">
${errors.map(renderError)}</tbody>
</table>
</section>
`
}

function renderError({ code, status, type }: DocumentedError): Html {
  return html`<tr role="row" id="error-${code}">
<th role="rowheader" scope="row"><a href="#error-${code}"><code>${breakable(code, '_')}</code></a></th>
<td role="cell" class="type">${status} <span class="values">${type}</span></td>
<td role="cell" class="about-field">${inline(advice[code] ?? '')}</td>
</tr>
`
}
