/**
 * The page at `/docs`: the OpenAPI document as a reference that people read, without a script. Pure: the same
 * document gives the same page. It must never put text from the document into the page unescaped.
 */
import { type DocumentedError, renderErrors } from './errors-section.ts'
import { type Html, html, prose, toMarkup, trusted } from './html.ts'
import { groupOperations, type OpenApiDocument, type OperationGroup } from './openapi-document.ts'
import { renderGroup } from './operations.ts'
import { renderQuickStart } from './quick-start.ts'
import { style } from './style.ts'

export type { OpenApiDocument } from './openapi-document.ts'

/**
 * Answers a whole HTML page, to be sent as `text/html; charset=utf-8`. It needs `style-src 'unsafe-inline'` and
 * nothing else of a content security policy. `baseUrl` is where callers reach this server, without `/v1`.
 */
export function renderDocumentation(
  document: OpenApiDocument,
  { baseUrl }: { baseUrl: string },
  errors: readonly DocumentedError[],
): string {
  const base = baseUrl.replace(/\/+$/, '')
  const groups = groupOperations(document)
  const { title, version, description } = document.info
  return toMarkup(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} API reference</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
${renderContents(title, groups)}
<main id="content">
<header class="masthead">
<h1>${title} API</h1>
<p class="version">Version ${version} · <a href="openapi.json">OpenAPI document</a></p>
${prose(description)}
</header>
${renderQuickStart(base)}
${groups.map((group) => renderGroup(document, group, base))}
${renderErrors(errors)}
</main>
</body>
</html>
`)
}

function renderContents(title: string, groups: readonly OperationGroup[]): Html {
  return html`<nav class="contents" aria-label="Contents">
<p class="name"><a href="#content">${title}</a></p>
<ul>
<li><a href="#in-one-minute">In one minute</a></li>
${groups.map(
  ({ anchor, tag, operations }) => html`<li><a href="#${anchor}">${tag}</a>
<ul>
${operations.map(
  (
    listed,
  ) => html`<li><a href="#${listed.anchor}"><span>${listed.operation.summary ?? listed.path}</span></a></li>
`,
)}</ul></li>
`,
)}<li><a href="#errors">Errors</a></li>
</ul>
</nav>`
}
