/**
 * What a request asks of the drawing beside its words, translated into what a brush can do.
 *
 * Every field has a real effect that its value decides, so that the gateway can be tried with the built-in
 * illustrator alone; a field that is absent leaves the picture exactly as it is. It never draws, and no name of a
 * LoRA leaves it as text.
 */
import type { ProviderRequest } from '../provider.ts'
import { type Grade, gradeOf } from './grade.ts'

/**
 * The wishes of one request.
 *
 * Three fields have nothing to act on here and are accepted as they are: `moderation`, because no prompt is judged;
 * `disableSafetyChecker`, because pieces of artwork need none; `safetyIdentifier`, because nobody is told who draws.
 */
export interface Wishes {
  /**
   * `style`, and a little of `guidance`: factor on the chroma of every colour. `vivid` 1.15, `natural` 0.86; strong
   * guidance adds up to 0.16 and weak guidance takes up to 0.1.
   */
  vividness: number
  /** `guidance` below 7, as 1 (guidance 0) to 0 (guidance 7): the composition loosens, subjects are smaller. */
  looseness: number
  /**
   * `guidance` below 7 and `complexity`, 0 to 1: of up to six small things that nobody asked for, how many come along.
   * `low` leaves them all out, `medium` and `high` add a third and two thirds.
   */
  company: number
  /**
   * `guidance` above 7, as 0 (guidance 7) to 1 (guidance 20): subjects grow, from 10 on clouds and strewn flowers that
   * nobody named are left out, and from 15 on a place that nobody named becomes a plain backdrop.
   */
  focus: number
  /**
   * `steps` and `quality`: how densely the finished picture is hatched with fine strokes, 0 to 1. Each of 50 steps
   * adds its share; `high` and `hd`, `xhigh` and `max` add a third, two thirds and all of it.
   */
  grain: number
  /** `steps` below 12, and `flat`: how many lightness levels the colours are blocked in with. */
  levels?: number
  /** `goFast` and `quality` `low`: no hatching, no blades of grass, no vignette, no gradients that only shade. */
  flat: boolean
  /**
   * `strength`, for edits: at 0 what is drawn is a breath on the input picture, from 0.3 on the painted scene covers
   * it, at 1 the input only shines through.
   */
  strength?: number
  /**
   * `inputFidelity`, for edits: `high` draws smaller and restyles the input half as much; `low` cuts the input itself
   * down to a few flat paper colours. Without an input picture there is nothing to keep to.
   */
  fidelity?: 'low' | 'high'
  /** `loraWeights`, `loraScale` and the extra ones: each name is a colour grade of its own, as strong as its scale. */
  grades: readonly Grade[]
}

const NEUTRAL_GUIDANCE = 7
const STRONGEST_GUIDANCE = 20
const MOST_STEPS = 50
/** Fewer steps than these block the picture in and no more. */
const BLOCKING_STEPS = 12

/** Lightness levels of a flat picture: few enough to merge shades, enough to keep every shape. */
const FLAT_LEVELS = 12

const STYLES: Readonly<Record<string, number>> = { vivid: 1.15, natural: 0.86 }
const COMPANY_OF_COMPLEXITY: Readonly<Record<string, number>> = { low: -1, medium: 0.34, high: 0.67 }
const GRAIN_OF_QUALITY: Readonly<Record<string, number>> = { high: 0.34, hd: 0.34, xhigh: 0.67, max: 1 }

/** Reads the wishes of a request. Numbers outside their range count as its nearer end. */
export function readWishes(request: ProviderRequest): Wishes {
  const { guidance = NEUTRAL_GUIDANCE, steps, quality, style, strength, inputFidelity } = request
  const focus = share((guidance - NEUTRAL_GUIDANCE) / (STRONGEST_GUIDANCE - NEUTRAL_GUIDANCE))
  const looseness = share((NEUTRAL_GUIDANCE - guidance) / NEUTRAL_GUIDANCE)
  const flat = request.goFast === true || quality === 'low'
  const grain = (GRAIN_OF_QUALITY[quality ?? ''] ?? 0) + (steps ?? 0) / MOST_STEPS
  const blocked = steps !== undefined && steps < BLOCKING_STEPS ? 4 + Math.floor(steps / 3) : undefined
  const levels = blocked ?? (flat ? FLAT_LEVELS : undefined)
  return {
    vividness: (STYLES[style ?? ''] ?? 1) * (1 + 0.16 * focus - 0.1 * looseness),
    looseness,
    company: share(looseness + (COMPANY_OF_COMPLEXITY[request.complexity ?? ''] ?? 0)),
    focus,
    grain: flat ? 0 : grain,
    ...(levels !== undefined ? { levels } : {}),
    flat,
    ...(strength !== undefined ? { strength: share(strength) } : {}),
    ...(inputFidelity === 'low' || inputFidelity === 'high' ? { fidelity: inputFidelity } : {}),
    grades: gradesOf(request),
  }
}

function gradesOf(request: ProviderRequest): Grade[] {
  const { loraWeights, loraScale, extraLoraWeights = [], extraLoraScale = [] } = request
  const first = loraWeights === undefined ? [] : [gradeOf(loraWeights, loraScale ?? 1)]
  const further = extraLoraWeights.map((name, index) => gradeOf(name, extraLoraScale[index] ?? 1))
  // A scale of 0 is a LoRA that is not there.
  return [...first, ...further].filter(({ amount }) => amount > 0)
}

const share = (value: number) => Math.max(0, Math.min(1, value))
