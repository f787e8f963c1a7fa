"""The sample city's tables of hours, fees and chains, as a file that its operator edits.

Days of the chains, fees and hours at stores are those of Toyonaka's service of 2013 to 2015 (domain
§0). What the city hall's own machine does, commissions and holidays are made up or general.
"""

SAMPLE_TABLES = """\
# Hours, fees and chains of the sample city. After a change:
#   issuance-server tables check tables.toml
#   issuance-server tables load tables.toml --operator NAME --second-operator NAME --reason WHY
# A line holds from its first day until its last; without `until` it holds until further notice.
# A change is a new line; the line before it gets the day before as its `until`.

# Only hours that say `holidays = ...` look at these.
holidays = [
    2026-11-03, 2026-11-23,
    2027-01-01, 2027-01-11, 2027-02-11, 2027-02-23, 2027-03-21, 2027-03-22, 2027-04-29, 2027-05-03,
    2027-05-04, 2027-05-05, 2027-07-19, 2027-08-11, 2027-09-20, 2027-09-23, 2027-10-11, 2027-11-03,
    2027-11-23,
]

# --- hours -------------------------------------------------------------------------------------

[[hours]]
from = 2013-04-01
class = "store"
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]
daily = "06:30-23:00"

[[hours]]
from = 2013-04-01
class = "city-hall"
kinds = ["juminhyo", "kisaijiko", "inkan"]
weekdays = "08:45-19:00"
saturday = "09:00-17:00"
holidays = "closed"

[[yearly_closures]]
from = 2013-04-01
first = "12-29"
last = "01-03"

[[inspection_days]]
day = 2027-02-14

# A window without service; it may go over several days and be for some kinds only:
# [[maintenance]]
# from = 2027-01-15T17:30:00
# until = 2027-01-16T09:00:00
# kinds = ["koseki-zenbu", "koseki-kojin", "fuhyo"]

# --- fees of one copy ----------------------------------------------------------------------------

[[fees]]
from = 2013-04-01
channel = "store"
[fees.yen]
juminhyo = 200
kisaijiko = 200
inkan = 200
kazei = 200
koseki-zenbu = 350
koseki-kojin = 350
fuhyo = 200

[[fees]]
from = 2013-04-01
channel = "city-hall"
[fees.yen]
juminhyo = 200
kisaijiko = 200
inkan = 200

[[fees]]
from = 2013-04-01
channel = "counter"
[fees.yen]
juminhyo = 300
kisaijiko = 300
inkan = 300
kazei = 300
koseki-zenbu = 450
koseki-kojin = 450
fuhyo = 300

# Another fee for a time, such as:
# [[campaigns]]
# from = 2027-04-01
# until = 2028-03-31
# channel = "store"
# yen = { juminhyo = 10, inkan = 10 }

# --- chains, and what they issue -----------------------------------------------------------------

[[chains]]
chain = "Seven-Eleven"
from = 2013-04-01
kinds = ["juminhyo", "kisaijiko", "inkan", "koseki-zenbu", "koseki-kojin", "fuhyo"]

[[chains]]
chain = "Seven-Eleven"
from = 2013-12-05
kinds = ["kazei"]

[[chains]]
chain = "Lawson"
from = 2013-04-04
kinds = ["juminhyo", "kisaijiko", "inkan", "koseki-zenbu", "koseki-kojin", "fuhyo"]

[[chains]]
chain = "Lawson"
from = 2013-12-05
kinds = ["kazei"]

[[chains]]
chain = "Circle K"
from = 2013-12-05
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]

[[chains]]
chain = "Sunkus"
from = 2013-12-05
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]

[[chains]]
chain = "FamilyMart"
from = 2013-12-19
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]

[[chains]]
chain = "Toyonaka City"
class = "city-hall"
from = 2013-04-01
kinds = ["juminhyo", "kisaijiko", "inkan"]

# --- what a chain gets for each certificate ------------------------------------------------------

[[commissions]]
chain = "Seven-Eleven"
from = 2013-04-01
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]
yen = 117

[[commissions]]
chain = "Lawson"
from = 2013-04-01
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]
yen = 117

[[commissions]]
chain = "Circle K"
from = 2013-12-05
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]
yen = 117

[[commissions]]
chain = "Sunkus"
from = 2013-12-05
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]
yen = 117

[[commissions]]
chain = "FamilyMart"
from = 2013-12-19
kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]
yen = 117

[[commissions]]
chain = "Toyonaka City"
from = 2013-04-01
kinds = ["juminhyo", "kisaijiko", "inkan"]
yen = 0
"""
