# Defines, for the scripts that train on label sets: corpora (8 kinds of material, each gives as many views) and held
# (packages that are measured only). Source it with DATA=folder with meta.csv and MATERIAL=folder with listing.csv.
: "${DATA:?}" "${MATERIAL:?}"
data() { echo "{kind:folder,path:$DATA,csv:meta.csv,file:'{set}/{file}',where:{set:$1${2:+,licence:[$2]}}}"; }
packages() { echo "{kind:folder,path:$MATERIAL,csv:listing.csv,columns:{unknown:unknown},where:{set:$1,held:$2}}"; }
music="'CC BY-SA 3.0','CC BY-SA 3.0/GPL','CC0/CC BY-SA/GPL-2+','GPL-2','GPL-2+','GPL-2+/CC BY-SA 4.0','GPL-3+/CC'"
effects="'CC BY-SA 3.0/GPL','CC0','CC0/CC BY/CC BY-SA','GPL-2','GPL-2+','GPL-3+/CC'"
corpora="speech:$(data speech_libri),music:$(data music "$music"),effects:$(data fx "$effects"),esc10:$(data esc10)"
corpora+=",speech_packages:$(packages speech 0),music_packages:$(packages music 0),effects_packages:$(packages fx 0)"
corpora+=",builtin:{kind:builtin,seed:0,sources:400,duration_s:6.0,sample_rate:44100}"
held="speech:$(packages speech 1),music:$(packages music 1),effects:$(packages fx 1)"
