/** The reference itself: each operation with its samples, what it takes and what it answers. */
import { curlSample } from './curl-sample.ts'
import { exampleBody } from './example-body.ts'
import { type Field, listFields, renderFields, toField } from './fields.ts'
import { breakable, type Content, type Html, html, prose } from './html.ts'
import {
  jsonBody,
  type ListedOperation,
  type OpenApiDocument,
  type OperationGroup,
} from './openapi-document.ts'
import { nodeSample, pythonSample } from './sdk-samples.ts'

/** The operations of one tag, under its heading. */
export function renderGroup(document: OpenApiDocument, group: OperationGroup, baseUrl: string): Html {
  return html`<section aria-labelledby="${group.anchor}">
<h2 id="${group.anchor}">${group.tag}</h2>
${prose(group.description)}
${group.operations.map((listed) => renderOperation(document, listed, baseUrl))}
</section>
`
}

function renderRoute({ method, path }: ListedOperation): Html {
  return html`<code class="route"><span class="method">${method.toUpperCase()}</span> ${breakable(path, '/')}</code>`
}

/** A captioned block of code. It can be scrolled with the keyboard, hence the tab stop. */
export function renderSample(caption: string, code: string): Html {
  return html`<figure><figcaption>${caption}</figcaption><pre tabindex="0"><code>${code}</code></pre></figure>`
}

function renderOperation(document: OpenApiDocument, listed: ListedOperation, baseUrl: string): Html {
  const { operation, anchor } = listed
  return html`<article class="operation" aria-labelledby="${anchor}">
<header>
<h3 id="${anchor}"><a href="#${anchor}">${operation.summary ?? anchor}</a></h3>
<p>${renderRoute(listed)}</p>
${prose(operation.description)}
</header>
<div class="samples">
${renderSamples(document, listed, baseUrl)}
</div>
<div class="tables">
${renderRequest(document, listed)}
${renderAnswers(document, listed)}
</div>
</article>
`
}

function renderSamples(document: OpenApiDocument, listed: ListedOperation, baseUrl: string): Content {
  const samples = [renderSample('curl', curlSample(document, listed, baseUrl))]
  const body = exampleBody(document, listed)
  if (
    listed.method === 'post' &&
    listed.path === '/v1/images/generations' &&
    typeof body === 'object' &&
    body
  ) {
    samples.push(
      renderSample('Node', nodeSample(baseUrl, body)),
      renderSample('Python', pythonSample(baseUrl, body)),
    )
  }
  return samples
}

function renderRequest(document: OpenApiDocument, { operation }: ListedOperation): Content {
  const ofPlace = (place: string) =>
    (operation.parameters ?? [])
      .filter((parameter) => parameter.in === place)
      .map((parameter) => toField(document, parameter))
  const [[contentType, body] = []] = Object.entries(operation.requestBody?.content ?? {})
  return [
    renderTable(document, 'Path parameters', ofPlace('path'), 'request'),
    renderTable(document, 'Query parameters', ofPlace('query'), 'request'),
    renderTable(document, 'Headers', ofPlace('header'), 'request'),
    renderTable(document, 'Request body', listFields(document, body?.schema ?? {}), 'request', contentType),
  ]
}

function renderAnswers(document: OpenApiDocument, { operation }: ListedOperation): Content {
  const answers = Object.entries(operation.responses ?? {})
  const failures = answers.filter(([status]) => !/^[123]/.test(status))
  return [
    answers
      .filter(([status]) => /^2/.test(status))
      .map(([status, { content }]) =>
        renderTable(
          document,
          `Answer ${status}`,
          listFields(document, jsonBody(content)?.schema ?? {}),
          'response',
        ),
      ),
    failures.length > 0 &&
      html`<h4>Error answers</h4>
<dl class="failures">${failures.map(
        ([status, { description }]) =>
          html`<dt><code>${status.toLowerCase()}</code></dt><dd>${description}</dd>`,
      )}</dl>
<p>The codes and what to do about them are listed under <a href="#errors">Errors</a>.</p>`,
  ]
}

function renderTable(
  document: OpenApiDocument,
  title: string,
  fields: readonly Field[],
  kind: 'request' | 'response',
  contentType?: string,
): Content {
  if (fields.length === 0) return null
  return html`<h4>${title}${contentType && html` <code>${contentType}</code>`}</h4>
${renderFields(document, fields, { label: title, kind })}
`
}
