/** Colour words and what they look like. Data only: CSS names that people write, and names that painters use. */

const ROWS =
  'red e0362c,crimson c4123f,scarlet f0301c,ruby b8123a,maroon 7a1f2b,burgundy 7a1633,vermilion e8452c,' +
  'orange f57c1f,tangerine f58a1f,coral ff7f5c,salmon fa8a72,peach ffb48f,apricot ffb77a,rust b7502a,copper c0703c,bronze b08040,' +
  'yellow fcd428,lemon fce94f,mustard d9a520,amber ffb81c,cream fff1cf,beige e8d6b0,ivory fffbe8,sand e6cf9c,khaki c6b87a,' +
  'green 2fa84f,lime 8fd414,emerald 1a9f63,olive 7f8a2c,mint 8fe0b8,teal 14908c,turquoise 2cc6c2,aqua 2fd0de,cyan 18c5e8,jade 1fa37a,sage 9caf88,' +
  'blue 2f6fe4,navy 1f3270,azure 2f9cf4,cobalt 1f4fc0,indigo 4a3ab0,sapphire 1f4fb8,cerulean 2a8fd0,' +
  'purple 8a3ee0,violet 8f4ff0,lavender b9a5f0,lilac c9a5e8,mauve c79ad0,plum 8e3f86,magenta e0279c,fuchsia f0309c,orchid d070d0,' +
  'pink ff7fb8,rose f0608a,blush f7b5b8,' +
  'brown 8a5a38,chocolate 6e4228,tan d2a878,caramel c98a4a,chestnut 8f4f34,sienna a8552f,umber 6f5238,' +
  'black 2b2b30,ebony 2c2a2c,charcoal 454950,grey 9096a0,gray 9096a0,silver c4ccd4,slate 66758a,white f6f6f6,snow-white fbfbfb,' +
  'golden f5b82e,gold f5b82e,rainbow-violet 8f4ff0'

/** Colour word → `#rrggbb`. */
export const COLOUR_WORDS: ReadonlyMap<string, string> = new Map(
  ROWS.split(',').map((row) => {
    const [name = '', hex = ''] = row.split(' ')
    return [name, `#${hex}`]
  }),
)

/** Words that give each piece of a group its own colour. */
export const MANY_COLOURS: ReadonlySet<string> = new Set(
  'colorful colourful multicolored multicoloured rainbow-colored rainbow-coloured vibrant-colored technicolor motley assorted'.split(
    ' ',
  ),
)

/** The wheel those pieces are coloured from, in the order they take it. */
export const COLOUR_WHEEL = [
  '#f0453c',
  '#fcb728',
  '#2f9be4',
  '#3fb55a',
  '#a14fe8',
  '#ff7fb8',
  '#1fc4bb',
  '#f5822a',
] as const
