"""Themes of further review domains: ``domain | thing | five aspects``, no noun twice.

What is said of them, and around them, is composed in `compose`.
"""

from __future__ import annotations

REVIEW_THEMES = """
hotels | hotel | mattress, towels+, breakfast buffet, balcony, minibar
gyms | gym | rowing machines+, changing room, sauna, trainer, weights+
museums | museum | audio guide, display cases+, fossils+, curator, portrait hall
podcasts | podcast | host, jingle, interviews+, episode notes+, sound mix
novels | novel | narrator, prologue, cover art, chapters+, translation
bakeries | bakery | croissants+, rye loaf, icing, oven smell, cake counter
barbers | barber | haircut, shaving foam, scissors work, mirror chat, beard trim
concerts | concert | violin section, encore, acoustics+, conductor, programme booklet
campsites | campsite | pitches+, shower block, fire pits+, shade, warden
language courses | course | grammar drills+, vocabulary cards+, tutor, listening tests+, textbook
bicycles | bicycle | saddle, brakes+, frame, gear shift, mudguards+
headphones | pair of headphones | ear pads+, bass, microphone, headband, noise filter
umbrellas | umbrella | canopy, ribs+, wooden grip, opening spring, carrying sleeve
board games | board game | dice+, rule book, figurines+, game board, score track
kettles | kettle | spout, boiling sound, base plate, limescale trap, water gauge
raincoats | raincoat | hood, cuffs+, pockets+, lining, drawstring
tents | tent | poles+, groundsheet, pegs+, mosquito net, porch
dentists | dentist | drill, anaesthetic, waiting chairs+, x-ray, bib
theatres | theatre | stage set, prompter, chorus line, velvet seats+, curtain call
zoos | zoo | penguin pool, keepers+, monkey house, aviary, petting corner
trains | train line | compartments+, buffet car, conductor's announcements+, legroom, window blinds+
airlines | airline | seat belts+, cabin crew, tray meals+, overhead bins+, boarding queue
cruises | cruise | deck chairs+, shore trips+, captain's dinner, cabin porthole, ship band
florists | florist | roses+, wreaths+, wrapping paper, vases+, bouquet
cheese shops | cheese shop | cheddar, tasting board, goat cheese, crackers+, ripening cellar
bookshops | bookshop | poetry shelf, reading nook, bestseller table, bookmarks+, second-hand corner
tea houses | tea house | oolong, scones+, teapots+, cushions+, jasmine blend
breweries | brewery | stout, beer garden, malt, tasting flight, brewing tour
ski resorts | ski resort | slopes+, chairlift, snow cannons+, ski hire, mulled wine hut
beaches | beach | sand, lifeguards+, parasols+, boardwalk, ice cream kiosk
spas | spa | hot stone massage, steam bath, bathrobes+, herbal oil, relaxation pool
escape rooms | escape room | padlocks+, riddles+, game master, hidden door, countdown clock
video games | video game | boss fights+, tutorial, graphics+, save points+, side quests+
smartphones | smartphone | selfie lens, touch display, charger, ring tones+, fingerprint sensor
cameras | camera | shutter, viewfinder, tripod mount, autofocus, flash
coffee machines | coffee machine | milk frother, grinder, drip tray, bean hopper, steam wand
vacuum cleaners | vacuum cleaner | suction, hose, dust bag, floor brush, power cord
armchairs | armchair | upholstery, armrests+, recliner lever, footrest, seams+
lamps | lamp | dimmer, lampshade, glow, swivel arm, light switch
pens | pen | nib, ink flow, cap, clip, cartridge
rucksacks | rucksack | shoulder straps+, laptop sleeve, chest buckle, rain cover, bottle holder
running shoes | pair of running shoes | soles+, laces+, heel cushion, toe box, tread
watches | watch | dial, wrist band, hands+, alarm tone, crown
pianos | piano | keys+, pedals+, soundboard, music stand, stool
guitars | guitar | fretboard, strings+, tuning pegs+, body varnish, pickups+
choirs | choir | sopranos+, basses+, rehearsals+, sheet music, solos+
ballets | ballet | pas de deux, corps de ballet, pointe work, orchestra pit, tutus+
operas | opera | tenor, overture, surtitles+, libretto, mezzo
circuses | circus | acrobats+, clowns+, trapeze act, tent seats+, ringmaster
magic shows | magic show | card tricks+, magician, rabbit act, sawing trick, stage patter
quiz nights | quiz night | questions+, quizmaster, picture round, prizes+, tie-breaker
farm shops | farm shop | eggs+, honey, apples+, pumpkins+, raw milk
butchers | butcher | sausages+, lamb chops+, pies+, smoked ham, sharp advice
fish markets | fish market | oysters+, mackerel, crushed ice, prawns+, filleting
pizza stands | pizza stand | crust, tomato topping, mozzarella, pepperoni, stone oven
ice cream vans | ice cream van | cones+, pistachio scoop, sprinkles+, chocolate dip, chime
food trucks | food truck | tacos+, curry wrap, chilli sauce, folding tables+, fried onions+
cookery books | cookery book | recipes+, food photos+, shopping lists+, index pages+, cooking times+
travel guides | travel guide | maps+, walking routes+, phrase list, hotel tips+, history chapter
newspapers | newspaper | crossword, leading articles+, sports pages+, weather column, cartoons+
radio stations | radio station | morning show, playlists+, traffic updates+, news bulletin, phone-ins+
streaming services | streaming service | catalogue, subtitles+, search box, recommendations+, trailers+
television series | television series | pilot episode, cliffhangers+, theme tune, flashbacks+, season finale
documentaries | documentary | archive footage, voice-over, witnesses+, drone shots+, animations+
comics | comic | inking, speech bubbles+, panels+, hero, back story
jazz clubs | jazz club | saxophone trio, cocktails+, stage lights+, double bass, bar stools+
dance classes | dance class | warm-up, tango steps+, mirror wall, partner changes+, dance floor
yoga studios | yoga studio | mats+, breathing exercises+, incense, guided rest, teacher's voice
swimming pools | swimming pool | lanes+, diving board, lockers+, water slide, paddling pool
climbing halls | climbing hall | ropes+, holds+, crash mats+, boulder wall, route setting
golf courses | golf course | greens+, bunkers+, caddies+, clubhouse, fairways+
tennis clubs | tennis club | clay courts+, floodlights+, ball machine, nets+, coach
football grounds | football ground | terraces+, pitch turf, half-time pies+, scoreboard, fan songs+
gardens | garden | hedges+, fountains+, rose arch, gravel paths+, greenhouse
castles | castle | towers+, drawbridge, dungeon, armoury, knights' hall
cathedrals | cathedral | stained glass, organ recital, crypt, bell tower, choir stalls+
planetariums | planetarium | star dome, projector, comet show, reclining seats+, moon lecture
aquariums | aquarium | shark tunnel, jellyfish tank, seahorses+, coral reef, touch pool
steam railways | steam railway | locomotive, whistle, coal smoke, signal box, guard's tales+
boat tours | boat tour | canal views+, life jackets+, skipper, deck benches+, lock stories+
city walks | city walk | rooftop view, alley stories+, street art stop, walking pace, old town map
cooking workshops | cooking workshop | knife lesson, pasta dough, aprons+, stoves+, shared meal
pottery classes | pottery class | clay, potter's wheels+, glazes+, kiln, trimming tools+
photo studios | photo studio | backdrops+, lighting rig, passport shots+, retouching, prints+
tailors | tailor | suit, buttonholes+, fitting, hem, cloth samples+
shoe repairers | shoe repairer | new heels+, stitching, polish, resoling, leather patch
opticians | optician | eye test, lenses+, spectacle frames+, contact lens trial, lens cloth
piano tuners | piano tuner | tuning, hammer work, upper octaves+, pedal adjustment, pitch
removal firms | removal firm | packing, boxes+, piano carriers+, lorry, furniture wrapping
cleaning services | cleaning service | window polishing, skirting boards+, ironing, bathroom tiles+, floor wax
dog hotels | dog hotel | kennels+, walks+, grooming, play meadow, feeding bowls+
nurseries | nursery | sandpit, nap corner, story circle, climbing frame, lunches+
driving schools | driving school | parking lesson, theory class, mock test, instructor, motorway hour
meal kits | meal kit | spice sachets+, recipe cards+, vegetables+, cold packs+, noodle portions+
toothbrushes | toothbrush | bristles+, brush head, charging stand, two-minute timer, travel case
blankets | blanket | wool, fringe, weave, weight, edge binding
scarves | scarf | cashmere, dye, pattern, tassels+, hand feel
"""
