"""The words of support tickets and travel requests, and those that all requests share.

Phrases: ``now`` and ``later`` are clauses, ``soon`` and ``someday`` name a time. Predicates are
written for one thing ("has failed") and made to agree with their noun.
"""

from __future__ import annotations

from cl_core.synthetic.domains.vocabulary import Vocabulary, aspects, lines

TICKETS = Vocabulary(
    aspects("""
        checkout
            1: refuses every card; has crashed; charges customers twice
            0: shows last year's logo; is one pixel off; lists the currencies in an odd order
        mail server
            1: rejects every message; is down; has filled its last disk
            0: adds a blank line to signatures; stamps messages in the wrong time zone; greets me by my old name
        login page
            1: locks everybody out; loops without end; shows strangers' accounts
            0: has a typo in the footer; looks dull in dark mode; remembers too many names
        printer on floor two
            1: is giving off smoke; has swallowed the contracts; prints salaries on the wrong floor
            0: prints slightly pale; hums a little; asks for paper too early
        backup
            1: has failed three nights in a row; overwrites good files; has stopped halfway
            0: keeps one copy too many; reports its size in odd units; runs a minute late
        database
            1: is losing rows; is unreachable; returns other customers' orders
            0: has an untidy index; keeps an empty table; uses long column names
        payroll export
            1: has stopped; drops every second name; shows only zeros
            0: sorts names by first name; has an ugly title; rounds the hours in the summary
        web shop
            1: shows an error to everybody; sells things at zero; has gone offline
            0: has a blurry banner; lists blue before green; has an old photo of the office
        laptops+
            1: is encrypted by some virus; no longer starts; has been stolen from the van
            0: is due for new stickers; wakes a little slowly; has a worn space bar
        door badges+
            1: opens nothing any more; opens every door to anybody; has been deactivated
            0: shows old photos; is an ugly shade of green; is a bit too thick for the holder
        firewall
            1: lets everything through; blocks the whole branch; is switched off
            0: writes long log lines; has a default name; sends its weekly summary in English only
        phone system
            1: hangs up on every caller; is dead; puts patients through to the pizzeria
            0: plays dreary music; shows the time in small print; rings a little softly
    """),
    {
        "opener": lines("""
            hello, this is Marta from accounting
            hi, room 214 here
            good morning from the Leeds branch
            dear help desk
        """),
        "now": lines("""
            payroll runs at noon
            the auditors are already in the lobby
            forty people cannot work
            the sale starts in twenty minutes
            customers are queueing at the till
            the contract must go out within the hour
        """),
        "later": lines("""
            nobody uses it before the new fiscal year
            we can work on the spare machine
            the team is on holiday for three weeks
            the next release is early enough
            we replace it in the autumn anyway
            it has bothered nobody but me
        """),
        "soon": lines("""
            noon
            the end of this shift
            the two o'clock batch
        """),
        "someday": lines("""
            the next release
            the autumn clean-up
            the new fiscal year
        """),
    },
)

TRAVEL = Vocabulary(
    aspects("""
        my passport
            1: has been stolen; is locked in a hotel safe in Lima; has been left on the train
            0: has a creased corner; is valid for nine more years; shows me with a beard
        my flight
            1: has been cancelled; is leaving without me; is booked under the wrong name
            0: is ten minutes shorter than before; has a new number; offers a vegetarian meal
        our hotel
            1: has no record of us; is flooded; has given our beds away
            0: faces the courtyard; has renamed its bar; asks which pillows we like
        our hire car
            1: has broken down on the motorway; has lost a wheel; is stuck on the level crossing
            0: is red instead of silver; has a scratched hubcap; smells of peppermint
        my visa
            1: expires at midnight; has been refused at the border; is made out for the wrong country
            0: has a faint stamp; takes up a whole page; spells my street in capitals
        my suitcase
            1: has gone to Oslo with my insulin in it; is being loaded onto the wrong plane; has burst on the belt
            0: has a squeaky wheel; is a kilo below the limit; needs a new name tag
        ferry tickets+
            1: is dated yesterday; has vanished from the app; is valid for the wrong harbour
            0: is printed on thin paper; shows an old ship; has no seat numbers
        mountain guides+
            1: has not come back from the ridge; has left us at the hut; is injured
            0: would like to know our shoe sizes; suggests a later lunch; has sent a list of songs
        our children+
            1: is stranded at the airport; is on the wrong coach; is without a bed for the night
            0: would like a window seat; is asking about the pool; is hoping for bunk beds
        my travel insurance
            1: is refused by the hospital; has lapsed; does not cover the ambulance
            0: comes with a long brochure; has changed its logo; is sending two copies
        transfer to the airport
            1: has not turned up; is stuck in the snow; has driven off with our bags
            0: stops at a bakery; uses a blue van; leaves from the side entrance
        our sleeper train
            1: is leaving from another city; is on strike; has been split at the wrong station
            0: serves tea instead of coffee; has new curtains; gives a choice of bunks
    """),
    {
        "opener": lines("""
            greetings from Lisbon
            this is booking 4471
            hello, the Okafor family here
            good evening from platform nine
        """),
        "now": lines("""
            boarding closes in forty minutes
            we are standing at the border
            the last boat sails at six
            it is getting dark and we have no roof
            the embassy shuts at three
            the driver is waiting with the engine running
        """),
        "later": lines("""
            we do not leave before next summer
            the tour starts in ten months
            we are still choosing between two dates
            our leave is not even approved
            we are only dreaming over a map so far
            the winter timetable is not out anyway
        """),
        "soon": lines("""
            the last boarding call
            nightfall
            the six o'clock sailing
        """),
        "someday": lines("""
            next summer
            the winter timetable
            our anniversary trip
        """),
    },
)

SHARED_REQUESTS = Vocabulary(
    aspects("""
        payment
            1: has failed; has gone to a stranger; has been taken five times
            0: shows up under an old name; is a cent too high; comes with two receipts
        password
            1: is known to a thief; has stopped working for everybody; is posted in public
            0: is hard to pronounce; is due to change some day; could be longer
        phone line
            1: is dead at the emergency desk; has been cut; connects to nobody
            0: crackles now and then; plays old music; is a little quiet
        form
            1: rejects every name; sends private data to strangers; has deleted all entries
            0: has a spelling mistake; asks for a fax number; uses a small font
        key
            1: has snapped in the lock; has been stolen with the address on it; opens nothing any more
            0: is a bit stiff; needs a new ring; has lost its colour
        power supply
            1: is sparking; has failed completely; is giving off smoke
            0: hums softly; is a little dusty; has a long cable
        address list
            1: has been leaked; has been wiped; is going to the wrong people
            0: is sorted by street; has two blank lines; spells one town in capitals
        main entrance
            1: is blocked by rubble; no longer closes; has jammed with people inside
            0: could do with paint; squeaks; is missing a doormat
    """),
    {
        "opener": lines("""
            hello again
            a short note
            dear team
        """),
        "now": lines("""
            people are waiting in front of the door
            it all starts in half an hour
            every minute makes it worse
            somebody may get hurt
        """),
        "later": lines("""
            nobody will need it for months
            any day this year will do
            we have a good replacement
            it is only a question of looks
        """),
        "soon": lines("""
            six tonight
            the end of the hour
            this afternoon
        """),
        "someday": lines("""
            next year
            the spring
            a quiet week
        """),
    },
)
