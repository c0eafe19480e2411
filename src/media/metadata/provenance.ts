/**
 * Says as XMP that a picture was made by a machine, by which model and for which task.
 *
 * Viewers, search engines and the law on marking AI pictures read the IPTC fields. Models and prompts come from
 * outside, so whatever they hold, the packet is well-formed XML and fits where it is to be written.
 */
import type { ImageFormat } from '../image-format.ts'
import { MAX_JPEG_XMP_BYTES } from './jpeg-segments.ts'

export interface Provenance {
  /** IPTC's word: `algorithmicMedia` for the built-in illustrator, `trainedAlgorithmicMedia` for models. */
  digitalSourceType: 'trainedAlgorithmicMedia' | 'algorithmicMedia'
  model: string
  taskId: string
  /** Written only where it is given and not empty. */
  prompt?: string
}

/** Far more than any name has; the rest of a JPEG's packet is for the prompt. */
const maxNameBytes = 2_000

/**
 * The XMP packet for a picture of the format: IPTC Photo Metadata 2025.1 (Iptc4xmpExt), Dublin Core and XMP Basic.
 * A JPEG's holds at most 65,502 bytes, so a prompt too long for that ends in "…"; without a format the packet
 * fits into every one.
 */
export function provenanceXmp(provenance: Provenance, format: ImageFormat = 'jpeg'): Buffer {
  const { digitalSourceType, model, taskId, prompt } = provenance
  const fields = {
    'Iptc4xmpExt:DigitalSourceType': `http://cv.iptc.org/newscodes/digitalsourcetype/${digitalSourceType}`,
    'Iptc4xmpExt:AISystemUsed': escapeXml(model, maxNameBytes),
    'xmp:CreatorTool': 'Gesso',
    'dc:identifier': escapeXml(taskId, maxNameBytes),
  }
  if (!prompt) return Buffer.from(packet(fields))
  const promptField = 'Iptc4xmpExt:AIPromptInformation'
  const roomBytes = MAX_JPEG_XMP_BYTES - Buffer.byteLength(packet({ ...fields, [promptField]: '' }))
  const text = escapeXml(prompt, format === 'jpeg' ? roomBytes : Number.POSITIVE_INFINITY)
  return Buffer.from(packet({ ...fields, [promptField]: text }))
}

/** XMP 1.2 part 1, section 7: nothing is meant to be changed in place, so there is no padding. */
function packet(fields: Record<string, string>): string {
  const lines = Object.entries(fields).map(([name, value]) => `   <${name}>${value}</${name}>\n`)
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/">
${lines.join('')}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>`
}

/** XML 1.0, section 2.2. With the flag "u" half a surrogate pair counts as a character of its own. */
const forbiddenCharacters = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A parser would turn it into a line feed.
  '\r': '&#xD;',
}

/** The text for an element, of at most so many bytes: what is too long is cut between characters. */
function escapeXml(text: string, maxBytes: number): string {
  const allowed = text.replace(forbiddenCharacters, '')
  const whole = escapeCharacters(allowed)
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  let kept = ''
  let leftBytes = maxBytes - Buffer.byteLength('…')
  for (const character of allowed) {
    const escaped = escapeCharacters(character)
    leftBytes -= Buffer.byteLength(escaped)
    if (leftBytes < 0) break
    kept += escaped
  }
  return `${kept}…`
}

function escapeCharacters(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => entities[character] ?? character)
}
