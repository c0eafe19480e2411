/** The tables of fields: what a request takes and what an answer holds, inner objects written out as paths. */
import { describeSchema } from './describe-schema.ts'
import { breakable, type Html, html, inline } from './html.ts'
import type { JsonSchema, OpenApiDocument, OpenApiParameter } from './openapi-document.ts'
import { unfoldSchema } from './unfold-schema.ts'

/** One line of a table. */
export interface Field {
  /** With its path, such as `data[].url`. */
  name: string
  required: boolean
  nullable: boolean
  /** Unfolded. */
  schema: JsonSchema
}

/** How many objects deep below the body fields are listed; deeper ones are named by their type only. */
const maxDepth = 2

/** The fields of an object, or of the objects in an array; none for other values. */
export function listFields(document: OpenApiDocument, folded: JsonSchema, prefix = '', depth = 0): Field[] {
  if (depth > maxDepth) return []
  const { schema: outer } = unfoldSchema(document, folded)
  const { schema } = outer.items ? unfoldSchema(document, outer.items) : { schema: outer }
  const path = outer.items ? `${prefix}[]` : prefix
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const name = path === '' ? key : `${path}.${key}`
    const required = schema.required?.includes(key) ?? false
    const field = { name, required, ...unfoldSchema(document, property) }
    return [field, ...listFields(document, field.schema, name, depth + 1)]
  })
}

/** A parameter of the path or the query as a line of the same table. */
export function toField(document: OpenApiDocument, parameter: OpenApiParameter): Field {
  const { schema, nullable } = unfoldSchema(document, parameter.schema ?? {})
  const described = { ...schema, description: parameter.description ?? schema.description }
  return { name: parameter.name, required: parameter.required ?? false, nullable, schema: described }
}

/** Callers ask of a request "must I?", and of an answer "can I count on it?". */
const presenceWords = {
  request: { title: 'Required', yes: html`<strong>required</strong>`, no: 'optional' },
  response: { title: 'Present', yes: 'always', no: 'sometimes' },
}
type Kind = keyof typeof presenceWords

/** The roles keep the table a table for screen readers where narrow screens lay its cells out as blocks. */
export function renderFields(
  document: OpenApiDocument,
  fields: readonly Field[],
  { label, kind }: { label: string; kind: Kind },
): Html {
  const titles = ['Name', 'Type', presenceWords[kind].title, 'Description']
  return html`<table role="table" aria-label="${label}">
<thead role="rowgroup"><tr role="row">${titles.map((title) => html`<th role="columnheader">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">
${fields.map((field) => renderField(document, field, kind))}</tbody>
</table>`
}

function renderField(document: OpenApiDocument, field: Field, kind: Kind): Html {
  const { yes, no } = presenceWords[kind]
  return html`<tr role="row">
<th role="rowheader" scope="row"><code>${breakable(field.name, '._]')}</code></th>
<td role="cell" class="type">${renderType(document, field, kind)}</td>
<td role="cell" class="presence">${field.required ? yes : no}</td>
<td role="cell" class="about-field">${inline(field.schema.description ?? '')}</td>
</tr>
`
}

function renderType(document: OpenApiDocument, field: Field, kind: Kind): Html {
  const { type, limits, values, default: fallback } = describeSchema(document, field.schema)
  // In a request, null in an optional field is the same as leaving it out.
  const orNull = field.nullable && (field.required || kind === 'response') ? 'null' : ''
  const words = [type, orNull].filter(Boolean).join(' or ')
  return html`${words || '–'}${limits && html`, ${limits}`}${
    values.length > 0 &&
    html`<span class="values">${values.map((value) => html`<code>${value}</code> `)}</span>`
  }${fallback !== undefined && html`<span class="values">default <code>${fallback}</code></span>`}`
}
