/**
 * Words that speak of the whole picture: its place, hour, weather and manner.
 *
 * Data only. A phrase may say several things at once: "winter" is snow on the ground and in the air.
 */
import type { Time, Weather } from './light.ts'

export type Place =
  | 'forest'
  | 'jungle'
  | 'meadow'
  | 'mountains'
  | 'sea'
  | 'lake'
  | 'beach'
  | 'underwater'
  | 'city'
  | 'space'
  | 'desert'
  | 'clouds'
  | 'room'
  | 'studio'

export type Style =
  | 'watercolor'
  | 'pixel'
  | 'sketch'
  | 'monochrome'
  | 'vintage'
  | 'pastel'
  | 'neon'
  | 'minimalist'
  | 'poster'
  | 'cartoon'
  | 'vivid'

/** What one scene word says. */
export interface SceneWord {
  place?: Place
  time?: Time
  weather?: Weather
  feature?: string
  style?: Style
}

const GROUPS: readonly (readonly [SceneWord, string])[] = [
  [
    { place: 'forest' },
    'forest,wood,woods,woodland,pine forest,clearing,trees,pines,taiga,grove,forest clearing',
  ],
  [{ place: 'forest', feature: 'magic' }, 'enchanted forest,magical forest,magic forest,fairy forest'],
  [{ feature: 'magic' }, 'enchanted,magical,mystical,fairy tale,fairytale,dreamy'],
  [{ place: 'jungle' }, 'jungle,rainforest,rain forest,tropics,tropical forest,safari jungle'],
  [
    { place: 'meadow' },
    'meadow,field,grassland,hill,hills,lawn,prairie,countryside,pasture,valley,grass,park,nature,outdoors,landscape,savanna,savannah',
  ],
  [
    { place: 'meadow', feature: 'flowers' },
    'garden,flower garden,flower field,field of flower,meadow of flower,flower meadow,field of flowers,meadow of flowers',
  ],
  [{ place: 'meadow', feature: 'farm' }, 'farm,farmyard,ranch,barnyard,orchard'],
  [
    { place: 'meadow', weather: 'snow' },
    'arctic,antarctica,antarctic,north pole,south pole,tundra,snowfield,iceberg',
  ],
  [
    { place: 'mountains' },
    'mountain,mountains,alps,peak,peaks,alpine,himalaya,himalayas,fjord,cliff,cliffs,canyon',
  ],
  [{ place: 'sea' }, 'sea,ocean,open sea,seascape,waves,high seas'],
  [{ place: 'lake' }, 'lake,river,pond,lakeside,riverbank,stream'],
  [
    { place: 'beach' },
    'beach,seaside,shore,coast,island,tropical island,desert island,seashore,sandy beach,lagoon',
  ],
  [
    { place: 'underwater' },
    'underwater,underwater scene,under water,under the sea,beneath the sea,seabed,coral reef,reef,aquarium,deep sea,bottom of the sea,bottom of the ocean,under the ocean',
  ],
  [
    { place: 'city' },
    'city,town,street,cityscape,skyline,downtown,metropolis,urban,new york,tokyo,london,paris,city street,alley,skyscrapers',
  ],
  [
    { place: 'city', style: 'neon', time: 'night', feature: 'neon' },
    'cyberpunk,neon city,neon street,neon lights,cyberpunk city',
  ],
  [{ place: 'space' }, 'space,outer space,galaxy,cosmos,universe,nebula,orbit,milky way,starfield,cosmic'],
  [
    { place: 'space', feature: 'moon-ground' },
    'on the moon,lunar,moon surface,lunar surface,surface of the moon',
  ],
  [{ place: 'space', feature: 'mars' }, 'mars,on mars,red planet,alien planet,another planet'],
  [{ place: 'desert' }, 'desert,dune,dunes,sahara,sand dunes,wild west,oasis,egypt'],
  [
    { place: 'clouds' },
    'in the sky,sky,above the clouds,in the clouds,among the clouds,in the air,heaven,cloudscape,sea of clouds',
  ],
  [
    { place: 'room' },
    'room,indoors,indoor,living room,bedroom,kitchen,library,inside,interior,cafe,house interior,office,classroom',
  ],
  [{ place: 'studio' }, 'table,desk,studio,still life,on a table,plain background,white background,tabletop'],
  [
    { time: 'night' },
    'night,midnight,nighttime,at night,nocturnal,moonlight,moonlit,by moonlight,night sky,evening sky',
  ],
  [{ time: 'night', feature: 'moon' }, 'moon,full moon,crescent moon,under the moon,under a moon'],
  [
    { time: 'night', feature: 'stars' },
    'starry,stars,starry night,starry sky,starlit,under the stars,starlight',
  ],
  [
    { time: 'night', weather: 'aurora' },
    'aurora,northern lights,aurora borealis,southern lights,polar lights',
  ],
  [{ time: 'sunset' }, 'sunset,dusk,evening,golden hour,twilight,sundown,at sunset'],
  [{ time: 'sunrise' }, 'sunrise,dawn,morning,daybreak,at dawn'],
  [{ time: 'day' }, 'day,daytime,noon,midday,sunny,sunny day,daylight,sunshine,sunlight,summer'],
  [{ feature: 'sun' }, 'sun,bright sun'],
  [{ time: 'day', feature: 'flowers' }, 'spring,springtime'],
  [
    { weather: 'snow' },
    'snow,winter,wintry,snowing,snowfall,blizzard,winter wonderland,snowstorm,snowflakes',
  ],
  [{ weather: 'snow' }, 'snowy,snow covered,snow-covered,frosty,frozen,icy'],
  [{ weather: 'rain' }, 'rain,rainy,raining,in the rain,drizzle,rainstorm'],
  [{ weather: 'mist' }, 'mist,misty,fog,foggy,haze,hazy'],
  [{ weather: 'storm' }, 'storm,stormy,thunderstorm,lightning,thunder,tempest'],
  [{ weather: 'cloudy', feature: 'clouds' }, 'cloudy,clouds,overcast,cloud'],
  [{ weather: 'autumn' }, 'autumn,fall,autumnal,autumn leaves,fall leaves,autumn forest leaves'],
  [{ weather: 'rainbow' }, 'rainbow,double rainbow'],
  [{ feature: 'flowers' }, 'blooming,flowery,wildflowers,among flowers'],
  [{ feature: 'mountains' }, 'mountainous'],
  [{ weather: 'snow', time: 'night' }, 'christmas,xmas,christmas eve'],
  [{ time: 'night', feature: 'spooky' }, 'halloween,spooky,haunted'],
  [
    { style: 'watercolor' },
    'watercolor,watercolour,aquarelle,watercolor painting,watercolour painting,gouache',
  ],
  [{ style: 'pixel' }, 'pixel art,pixel,pixelart,8 bit,8bit,8-bit,16 bit,16-bit,pixelated,retro game'],
  [
    { style: 'sketch' },
    'sketch,line art,line drawing,pencil,pencil drawing,pencil sketch,coloring book,colouring page,coloring page,ink drawing,doodle,outline',
  ],
  [{ style: 'monochrome' }, 'black and white,monochrome,grayscale,greyscale,black-and-white,noir,b&w'],
  [{ style: 'vintage' }, 'vintage,sepia,retro,old photo,antique,old fashioned,old-fashioned,nostalgic'],
  [
    { style: 'pastel' },
    'pastel colors,pastel colours,pastel palette,in pastel,in pastels,soft colors,pastel style',
  ],
  [{ style: 'neon' }, 'neon style,synthwave,vaporwave,neon colors,neon colours'],
  [{ style: 'minimalist' }, 'minimalist,minimal,minimalistic,simple background,flat design,minimalism'],
  [{ style: 'poster' }, 'poster,travel poster,art deco,propaganda poster,vintage poster'],
  [{ style: 'cartoon' }, 'cartoon,comic,comic book,anime,manga,cartoonish'],
  [{ style: 'vivid' }, 'vivid,vibrant,saturated'],
]

/** Phrase → what it says of the scene. */
export const SCENE_WORDS: ReadonlyMap<string, SceneWord> = new Map(
  GROUPS.flatMap(([meaning, phrases]) => phrases.split(',').map((phrase) => [phrase, meaning] as const)),
)

/** What "without …" or a negative prompt may take away, by the word people use. */
export const ELEMENTS: ReadonlyMap<string, string> = new Map([
  ...['tree', 'trees', 'pine', 'pines', 'forest', 'palm', 'palms'].map((word) => [word, 'trees'] as const),
  ...['cloud', 'clouds', 'cloudy'].map((word) => [word, 'clouds'] as const),
  ...['star', 'stars'].map((word) => [word, 'stars'] as const),
  ...['moon', 'moonlight'].map((word) => [word, 'moon'] as const),
  ...['sun', 'sunshine'].map((word) => [word, 'sun'] as const),
  ...['flower', 'flowers'].map((word) => [word, 'flowers'] as const),
  ...['mountain', 'mountains'].map((word) => [word, 'mountains'] as const),
  ...['cactus', 'cacti', 'cactuses'].map((word) => [word, 'cactus'] as const),
  ...['snow', 'snowflakes'].map((word) => [word, 'snow'] as const),
  ...['rain', 'raindrops'].map((word) => [word, 'rain'] as const),
  ...['leaf', 'leaves'].map((word) => [word, 'leaves'] as const),
])
