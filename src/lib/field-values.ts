/**
 * What callers may write in the fields that a key can fill in too. Plain data, so that requests and the making of keys
 * are judged by the same rules; what a model can do of it is not said here.
 */

export const qualities = ['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'] as const
export const styles = ['vivid', 'natural'] as const
export const backgrounds = ['transparent', 'opaque', 'auto'] as const
export const moderations = ['auto', 'low'] as const
export const responseFormats = ['url', 'b64_json'] as const
export const outputFormats = ['png', 'jpeg', 'webp', 'avif'] as const

/** `WxH` in pixels; the groups are the two edges. */
export const sizeForm = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/
export const sizeWords = 'auto or WxH, such as 1024x1024'
