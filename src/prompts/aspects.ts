/**
 * What a short prompt may lack, and the words that fill it in. Data of the rule-based optimizer: an aspect is left
 * alone as soon as the prompt has a word about it, so the lists of such words are long and the additions mild.
 */
import { type Cue, cue } from './cue.ts'

export interface Aspect {
  /** The prompt has said something about it already, or it does not apply. */
  isSettled: Cue
  /** Words in the prompt's own vein. Where several fit, or one is only quoted or ruled out, nothing is added. */
  veins?: readonly { fits: Cue; words: string }[]
  /** Words that hardly contradict anything, where no vein fits. */
  otherwise?: string
}

/** Flat graphics, where light, depth and photographic detail are out of place. */
const graphics = `logo* icon icons vector* flat clipart clip_art line_art lineart emblem* badge* emoji* sticker* symbol*
  diagram* chart charts graph graphs infographic* map maps blueprint* schematic* flowchart* ui ux gui website* screenshot* mockup*
  wireframe* qr barcode font* typograph* lettering wordmark* monogram* pictogram* glyph* pattern* seamless tile*
  wallpaper* texture* gradient* circle* square* triangle* rectangle* hexagon* polygon* shape* stripe* dot dots
  solid_colo* plain blank silhouette* stencil* pixel* 8_bit 16_bit ascii coloring colouring palette* swatch*`

const media = `photo* foto* snapshot* selfie* dslr polaroid* film* cinema* movie* camera* lens* bokeh exposure daguerreotype*
  tintype* analog* 35mm 50mm 85mm iphone documentary infrared x_ray xray scan* thermal satellite footage still painting*
  painted paint* oil oils acrylic* gouache impasto tempera fresco* mural* watercolo* aquarel* acuarel* acquerel*
  peintur* pintura* oleo gemalde* zeichnung* dessin* dibujo* disegno* draw* drawn sketch* doodle* scribbl* pencil*
  charcoal* pastel* crayon* chalk* ink inked pen marker* etch* engrav* woodcut* linocut* lithograph* print* poster*
  illustrat* artwork art arts style* styled stylised stylized render* 3d cgi blender unreal octane voxel* low_poly
  lowpoly isometric claymation clay plasticine stop_motion lego paper papercut origami felt* knit* crochet*
  embroider* tapestr* quilt* mosaic* stained_glass sculpt* statue* carv*
  anime manga cartoon* comic* graphic* cel_shaded chibi ghibli pixar disney storybook caricature* collage*
  graffiti tattoo* card cards banner* flyer* book* cover covers label* packag* advert* concept_art abstract* surreal*
  impressionis* expressionis* cubis* baroque renaissance rococo art_deco art_nouveau bauhaus pop_art minimal*
  vaporwave synthwave cyberpunk steampunk fantasy vintage retro van_gogh monet picasso rembrandt vermeer hokusai
  realis* photoreal* hyperreal*`

const imaginary = `dragon dragons unicorn* fairy fairies elf elves goblin* orc orcs wizard* mermaid* griffin* centaur*
  minotaur* troll trolls magical enchanted mythical mythological demon demons monster monsters superhero* wonderland
  kawaii whimsical`

/** In the order in which the words are added. */
export const aspects: readonly Aspect[] = [
  {
    isSettled: cue(
      graphics,
      `compos* fram* close_up* closeup* macro portrait* headshot* selfie* full_body half_length profile* wide* aerial
      drone panoram* bird_s_eye worm_s_eye overhead top_down above below angle* isometric symmetr* asymmetr* cent*
      rule_of_thirds negative_space foreground background* perspective pov view* shot* flat_lay cluttered crowded
      messy chaotic random* grid* row rows left right corner* middle top bottom side*`,
    ),
    otherwise: 'clear composition',
  },
  {
    isSettled: cue(
      graphics,
      `light* lit unlit sun sunny sunlit sunlight sunbeam* sunshine moon moonlit moonlight daylight backlit spotlight*
      candlelit candlelight lamplight torchlight firelight starlight floodlit shadow* shade* shaded shading bright* dark* dim* glow* shin* illuminat*
      neon lamp* lantern* candle* torch* fire flame* golden_hour blue_hour high_key low_key exposure* overexposed
      underexposed flash* chiaroscuro overcast ray rays beam* gloom* murky pitch_black
      day days`,
    ),
    veins: [
      { fits: cue('night nights nighttime midnight starry'), words: 'subtle night-time light' },
      { fits: cue('dawn sunrise daybreak morning'), words: 'soft early light' },
      { fits: cue('dusk sunset twilight evening'), words: 'late evening light' },
      { fits: cue('daytime noon midday afternoon'), words: 'clear daylight' },
      { fits: cue('underwater undersea'), words: 'light filtered by the water' },
      { fits: cue('fog* mist* haze hazy'), words: 'diffuse light' },
    ],
    otherwise: 'nuanced light',
  },
  {
    isSettled: cue(
      graphics,
      `detail* intricate* ornate elaborate textur* sharp* crisp* focus* defocus* unfocus* blur* hd uhd 4k 8k hyper*
      ultra* high_res* low_res* resolution quality minimal* simpl* rough* sketch* doodle* scribbl* bokeh abstract*
      low_poly lowpoly voxel* naive crude child_s kid_s toddler_s childlike childish kindergarten* cartoon* smooth* clean* empty lofi lo_fi grain* noise
      noisy glitch* distort* fog* mist* haze hazy dream* loose* impressionis*`,
    ),
    otherwise: 'fine detail',
  },
  {
    isSettled: cue(graphics, media),
    veins: [{ fits: cue(imaginary), words: 'imaginative illustration' }],
    otherwise: 'natural photographic look',
  },
  {
    // The craft of a medium that was named.
    isSettled: cue(
      graphics,
      `smooth* realis* photoreal* hyperreal* abstract* minimal* rough* crude naive loose* invisible brush* stroke*
      wash* line* hatch* tone* child_s kid_s toddler_s childlike childish kindergarten*`,
    ),
    veins: [
      { fits: cue('photo photograph photography snapshot dslr'), words: 'photographic depth' },
      {
        fits: cue('oil_paint* oil_on_canvas in_oil in_oils acrylic_paint* gouache impasto'),
        words: 'expressive brushwork',
      },
      { fits: cue('watercolo*'), words: 'delicate washes' },
      {
        fits: cue('pencil_draw* pencil_sketch* charcoal_draw* ink_draw* etching engraving woodcut'),
        words: 'confident mark-making',
      },
      { fits: cue('anime manga comic'), words: 'expressive line work' },
      { fits: cue('3d_render* cgi'), words: 'convincing materials' },
    ],
  },
]
