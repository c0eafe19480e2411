/**
 * The answer of a chat model, read with suspicion: what comes out is one plain prompt, or a reason why there is
 * none. Nothing the model said may be part of the reason.
 */
import { z } from 'zod'
import { countCharacters } from '../lib/count-characters.ts'
import { storableText } from '../lib/storable-text.ts'

/** The longest rewrite that is taken whatever the image model takes; 120 words have about 800. */
const maxOptimizedCharacters = 8_000

const listOrNothing = z.array(z.unknown()).nullish().catch(undefined)
const textPart = z.object({ type: z.literal('text'), text: z.string() })

const chatReply = z.object({
  choices: z.tuple(
    [
      z.object({
        finish_reason: z.string().nullish().catch(undefined),
        message: z.object({
          content: z
            .union([z.string(), z.array(z.unknown())])
            .nullish()
            .catch(undefined),
          refusal: z.string().nullish().catch(undefined),
          tool_calls: listOrNothing,
          function_call: z.object({}).nullish().catch(undefined),
        }),
      }),
    ],
    z.unknown(),
  ),
})

/** The rewritten prompt, or how the sentence "the chat model …" ends that tells why there is none. */
export function readChatReply(json: unknown, maxCharacters: number): { text: string } | { reason: string } {
  const reply = chatReply.safeParse(json)
  if (!reply.success) return { reason: 'sent an answer that is no chat completion' }
  const { message, finish_reason: finish } = reply.data.choices[0]
  if (message.tool_calls?.length || message.function_call) return { reason: 'wanted to call a tool' }
  if (message.refusal || finish === 'content_filter') return { reason: 'refused' }
  // Half a prompt may end before what matters most.
  if (finish === 'length') return { reason: 'did not come to an end' }
  return judge(plainText(readContent(message.content)), maxCharacters)
}

/** The parts that are text; thoughts and whatever else models put beside it are left out. */
function readContent(content: string | unknown[] | null | undefined): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((part) => textPart.safeParse(part).data?.text ?? '').join('')
}

const thoughts = /^\s*<think>[\s\S]*?<\/think>/i
const fence = /^```(?:[\w-]*\n)?([\s\S]*)```$/
const quotes = /^(?:"([^"]*)"|'([^']*)'|`([^`]*)`|“([^“”]*)”|„([^„“”]*)[“”]|«([^«»]*)»|「([^「」]*)」)$/

/** The text without the wrapping that models are fond of. */
function plainText(content: string): string {
  let text = content.replace(thoughts, '').trim()
  text = (fence.exec(text)?.[1] ?? text).trim()
  const quoted = quotes.exec(text)
  text = quoted?.slice(1).find((inside) => inside !== undefined) ?? text
  return (storableText(text, text.length) ?? '').trim()
}

const html =
  /<!doctype|<!--|<\/?(?:html|head|body|title|meta|link|script|style|div|span|p|br|hr|h[1-6]|ul|ol|li|a|img|b|i|em|strong|pre|code|table|form|iframe|svg)\b[^<>]*>/i
/** How models refuse that have no field for it. */
const apology =
  /^(?:(?:i['’]m|i am) (?:really |very |so )?(?:sorry|unable|not able)|sorry,|i (?:can['’]t|cannot|can not|won['’]t|will not)|as an ai\b|unfortunately, i\b)/i

function judge(text: string, maxCharacters: number): { text: string } | { reason: string } {
  if (text === '') return { reason: 'answered with nothing' }
  if (html.test(text) || text.includes('```')) return { reason: 'answered with markup' }
  if (apology.test(text)) return { reason: 'refused' }
  const limit = Math.min(maxCharacters, maxOptimizedCharacters)
  const characters = countCharacters(text)
  if (characters > limit) return { reason: `answered with ${characters} characters, more than ${limit}` }
  return { text }
}
