"""The words of news headlines: nouns without articles, verbs in the present tense.

`SHARED_HEADLINES` says in a headline's words what `SHARED_REQUESTS` says in a letter's.
"""

from __future__ import annotations

from cl_core.synthetic.domains.vocabulary import Vocabulary, aspects, lines

HEADLINES = Vocabulary(
    aspects("""
        harbour bridge
            1: sways in gale; cracks under lorry; drops concrete on road
            0: turns fifty; gets fresh coat of paint; stars in calendar
        river Alder
            1: bursts banks; tops flood wall; swallows camp site
            0: wins clean water award; draws anglers; lends name to cheese
        gas main
            1: leaks under school; explodes in old town; burns out of control
            0: gets new map; moves to digital meters; features in museum show
        wildfire
            1: jumps motorway; reaches first houses; traps hikers on ridge
            0: leaves rare orchids in its wake; inspires painter; teaches foresters new lesson
        valley dam
            1: shows widening crack; overflows; loses its gate
            0: opens visitor centre; supplies trout farm; celebrates first builder
        drinking water
            1: contains toxic bloom; makes dozens ill; turns brown across city
            0: tastes best in region; gets new label; flows in new fountain
        cable car
            1: hangs above gorge with forty aboard; slips backwards; catches fire
            0: gains panorama roof; sells millionth ticket; plays folk music
        chemical plant
            1: vents cloud over suburb; burns; loses contact with night shift
            0: plants roses; names new director; hosts open day
        circus lion
            1: roams city park; slips out of cage; follows schoolchildren
            0: loves new blanket; retires to coast; sits for portrait
        avalanche
            1: buries village road; cuts off resort; sweeps over hut
            0: features in exhibition; shapes new ski map; gives band its name
        recalled baby milk
            1: poisons infants; is still on shelves; contains glass
            0: leads to longer labels; prompts essay contest; changes colour of tins
        night train
            1: runs without driver; derails in tunnel; rolls towards closed line
            0: gets softer pillows; returns to timetable; serves local wine
        storm Edna
            1: tears off roofs; heads straight for coast; floods underground
            0: gets its own song; sets statistics record; fills reservoirs nicely
        power grid
            1: collapses across north; fails in hospitals; overloads
            0: joins European study; hires apprentices; publishes handbook
    """),
    {
        "opener": lines("""
            live
            morning briefing
            region
            from our reporters
        """),
        "now": lines("""
            residents told to leave at once
            drivers must turn back
            hospitals call in every nurse
            families have until dusk to get out
            police clear whole quarter
            doctors plead for blood donors tonight
            everyone ordered indoors
        """),
        "later": lines("""
            council to debate it in spring
            experts plan ten-year study
            work to begin after election
            committee asks for ideas by post
            historians invite readers' letters
            vote put off until winter session
            readers may send photos all year
        """),
        "soon": lines("""
            dusk
            high tide
            midnight
        """),
        "someday": lines("""
            spring session
            next decade
            centenary year
        """),
    },
)

SHARED_HEADLINES = Vocabulary(
    aspects("""
        payment network
            1: fails nationwide; sends wages to strangers; empties accounts
            0: changes its name; marks tenth birthday; adopts new receipt
        password list
            1: falls into hands of thieves; appears online; opens hospital files
            0: amuses linguists; goes to museum; tops survey of dull words
        phone line
            1: goes dead at emergency desk; cuts out across county; connects to nobody
            0: plays old music; celebrates first caller; offers poems
        online form
            1: sends private data to strangers; deletes all entries; locks out patients
            0: wins design prize; uses larger font; asks for fax number
        power supply
            1: fails completely; sets roofs on fire; stops in mid-winter
            0: inspires school play; draws visitors; moves to brick building
        address list
            1: leaks; sends ambulances to wrong streets; vanishes before evacuation
            0: comes out sorted by street; reveals oldest surname; goes to print
        main entrance
            1: collapses; jams with hundreds inside; fills with smoke
            0: gets coat of paint; loses doormat; squeaks in B flat
    """),
    {
        "opener": lines("""
            today
            in brief
            this hour
        """),
        "now": lines("""
            people must get out
            helpers needed this hour
            everyone told to call in
            lives at risk until it is stopped
        """),
        "later": lines("""
            nothing will happen for months
            officials promise leaflet next year
            replacement under discussion
            answer expected some day
        """),
        "soon": lines("""
            tonight
            end of day
            this afternoon
        """),
        "someday": lines("""
            next year
            spring
            quiet week
        """),
    },
)
