"""Themes of further request domains: ``domain | place | five aspects``, no noun twice.

What happens to them, and when somebody is needed, is composed in `compose`.
"""

from __future__ import annotations

REQUEST_THEMES = """
library desk | library | book scanner, loan counter, reading lamps+, map cabinet, return chute
hospital facilities | hospital | theatre lights+, oxygen line, nurse call bell, ward fridge, bed hoist
school caretaking | school | boiler, gym ropes+, science hoods+, bicycle shed, assembly hall doors+
office buildings | office | reception gate, meeting room projector, stairwell lights+, car park barrier, air ducts+
bus depot | depot | bus ramps+, ticket validators+, fuel pump, wheel lift, wash tunnel
railway station | station | departure board, platform lift, points heater, track switch, luggage lockers+
airport operations | airport | baggage belt, runway lights+, jet bridge, metal detectors+, de-icing truck
harbour office | harbour | mooring ropes+, crane, navigation buoys+, pilot boat, tide gauge
fire station | fire station | ladder engine, breathing masks+, siren, pole slide, hydrant keys+
police garage | garage | patrol cars+, radio mast, blue lights+, evidence locker, speed camera
bank branch | branch | cash machine, vault timer, coin counter, counter glass, safe deposit keys+
post office | post office | letter sorter, parcel scale, franking machine, stamp drawer, mail van
supermarket | supermarket | freezer aisle, tills+, trolleys+, bottle return, automatic doors+
pharmacy | pharmacy | medicine robot, prescription printer, cool cabinet, night hatch, label dispenser
bakery kitchen | bakery | dough mixer, proving cupboard, bread slicer, flour silo, deck oven
restaurant kitchen | kitchen | gas hob, extractor hood, dishwasher, walk-in fridge, fryer
hotel reception | hotel | room keys+, night bell, revolving door, guest lift, luggage trolley
theatre backstage | theatre | fly system, trapdoor, dimmer rack, safety curtain, wind machine
cinema booth | cinema | film projector, popcorn warmer, seat rows+, exit signs+, surround amplifier
concert hall | hall | stage piano, mixing desk, microphone cables+, organ bellows, follow spot
museum security | museum | alarm sensors+, climate cabinet, glass case locks+, visitor counter, cloakroom rail
zoo keepers | zoo | tiger fence, incubator, aquarium pump, elephant gate, feed freezer
botanical garden | garden | palm house heating, irrigation line, vent flaps+, pond pump, mist nozzles+
swimming baths | pool | chlorine pump, wave machine, changing lockers+, floor grating, water heater
ice rink | rink | cooling plant, ice resurfacer, goal frames+, skate grinder, plexiglass boards+
football stadium | stadium | turnstiles+, stand roof, sprinkler heads+, video wall, team tunnel
ski lifts | ski area | gondola door, lift cable, snow groomer, avalanche beacon, chair brakes+
campsite office | campsite | water tap, gas bottles+, power posts+, waste tank, toilet block
lighthouse service | lighthouse | lantern, fog horn, spiral stairs+, rotating lens, storm shutters+
weather station | weather station | barometer, wind vane, rain gauge, radar dish, hail sensor
observatory | observatory | dome motor, main telescope, tracking drive, guide camera, mirror cell
chemistry lab | laboratory | fume hood, acid cupboard, centrifuge, gas detectors+, eye shower
biology lab | institute | deep freezer, cell incubators+, microscope, autoclave, fly cages+
physics workshop | workshop | vacuum pump, laser interlock, helium line, lathe, magnet coils+
university registry | registry | exam portal, grade sheets+, student cards+, lecture timetable, degree certificates+
lecture halls | faculty | wall screen, lectern microphone, blackboards+, hall shutters+, hearing loop
student housing | hall of residence | laundry room, entry phone, fire door, bicycle cellar, radiators+
tenants' line | house | kitchen tap, roof gutter, letter boxes+, cellar lights+, doorbell
lift service | tower | lift cabin, lift doors+, emergency phone, counterweight, call buttons+
heating service | block | heating pump, oil tank, thermostats+, flue, pressure valve
plumbing calls | flat | bath drain, toilet cistern, stopcock, shower hose, washing machine inlet
electricity calls | house | fuse box, ceiling socket, light circuit, outdoor cable, meter cupboard
roofing calls | house | roof tiles+, skylight, chimney, dormer flashing, snow guard
glazier calls | shop | shop window, patio door, greenhouse pane, window hinges+, mirror tiles+
locksmith calls | flat | front door lock, safe, spare keys+, garage shutter, window bars+
garden service | estate | old oak, lawn mower, hedge arch, garden wall, pond liner
street lighting | council | lamp posts+, crossing lights+, tunnel lamps+, bollards+, light sensor
road works | council | manhole cover, road surface, warning signs+, kerb, storm drain
water works | water board | pumping station, filter bed, reservoir valve, mains pipe, chlorine dosing
waste collection | council | bin lorry, recycling bins+, glass container, compost tip, street sweeper
playgrounds | council | swings+, slide, rope net, seesaw, rubber floor
tram network | tram line | overhead wire, tram doors+, rail points+, ticket machines+, stop display
taxi dispatch | taxi office | dispatch radio, meter software, wheelchair cab, child seats+, taxi rank lamp
bicycle hire | hire point | docking posts+, cargo bikes+, unlock codes+, bike chains+, helmet box
car workshop | workshop | lifting platform, tyre press, brake tester, exhaust fan, customer cars+
truck fleet | fleet | trailer brakes+, cooling trailer, tachograph, tail lift, fuel cards+
warehouse | warehouse | forklift, pallet racks+, conveyor, barcode readers+, loading dock
print shop | print shop | offset press, paper cutter, ink tanks+, proof plotter, folding machine
newsroom desk | newsroom | teleprompter, archive server, live ticker, picture feed, studio clock
radio studio | studio | transmitter, studio microphone, jingle player, guest headphones+, on-air lamp
web hosting | host | name server, certificate, storage array, load balancer, rack cooling
mobile network | network | cell tower, roaming gateway, voicemail, text gateway, prepaid system
software builds | team | build server, test runner, package mirror, release branch, deploy script
data centre | centre | diesel generator, cooling loop, battery room, server rack, fibre link
game servers | studio | match lobby, player accounts+, chat filter, item shop, ranking list
online banking | bank | transfer page, code generator, standing orders+, fraud filter, statement archive
insurance claims | office | claims queue, accident reports+, damage photos+, payout run, hotline
tax office | tax office | filing portal, refund batch, declaration forms+, assessment letters+, tax register
town hall | town hall | passport counter, wedding room, civil register, queue display, signature pad
voting office | voting office | ballot boxes+, voter lists+, counting machines+, polling booths+, result line
court services | court | evidence files+, hearing room, summons letters+, docket, witness screen
notary office | notary | deed archive, wax seal, signing tablet, witness list, contract drafts+
law firm | firm | filing deadline calendar, client folders+, dictation system, conference bridge, document safe
accounting firm | firm | ledger, invoice batch, expense claims+, balance sheet, audit folder
design agency | agency | plotter, colour proofs+, font server, client layout, photo archive
architects | practice | site plans+, scale model, drawing server, roof calculation, permit folder
building sites | site | scaffolding, tower crane, concrete mixer, pit wall, site fence
saw mill | mill | band saw, log conveyor, dust extraction, drying kiln, blade guard
dairy farm | farm | milking robot, milk tank, cattle gate, calf barn, hay loft
vegetable farm | farm | field sprinklers+, cold store, seed drill, tractor, harvest crates+
vineyard | winery | grape press, fermentation tanks+, bottling line, cork machine, frost fans+
beekeeping | apiary | hives+, honey extractor, smoker, queen cage, bee smock stock
fish farm | fish farm | oxygen pump, net pens+, feed barge, hatchery tray, harvest boat
animal shelter | shelter | dog run, cat room, vaccine fridge, bird cages+, quarantine ward
veterinary clinic | clinic | operating table, x-ray tube, anaesthesia cart, cold lamp, blood analyser
dental surgery | surgery | treatment chair, suction pump, steriliser, drill unit, panoramic scanner
eye clinic | clinic | retina camera, laser table, lens stock, drop dispenser, vision chart lamp
care home | home | stair lift, bed alarms+, medication trolley, dining hall lights+, hoist slings+
ambulance base | base | defibrillators+, stretcher lock, vehicle heater, ventilator, base radio
blood bank | blood bank | plasma freezer, donor beds+, platelet shaker, transport boxes+, tube sealer
kindergarten | kindergarten | garden gate, nap room window, kitchen hatch, sand cover, toy shelf
summer camp | camp | canoe trailer, camp stove, cabin roofs+, first-aid tent, flag pole
mountain rescue | rescue hut | rope winch, rescue sledge, hut radio, search dogs' trailer, headlamp crate
coast guard | station | lifeboat engine, launch ramp, distress receiver, rescue buoys+, slipway winch
diving school | diving school | compressor, regulators+, dive boat, decompression chamber, tank valves+
sailing club | club | jib crane, safety dinghy, mast rigging, jetty, race buoys+
flying club | club | tow plane, runway mower, glider canopy, hangar door, windsock
"""
